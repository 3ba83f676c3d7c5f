#include <duckdb.h>
#include <fmt/format.h>

#include "base/text.h"
#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

std::mutex folder_mutex;
std::string extension_folder;  // Guarded by folder_mutex.

std::string ExtensionFolder() {
  std::lock_guard lock(folder_mutex);
  // An empty setting would mean ~/.duckdb, whose content is not ours.
  return extension_folder.empty() ? "/nonexistent" : extension_folder;
}

// Owns the options that a database is opened with.
class Config {
 public:
  Config() { duckdb_create_config(&config_); }
  ~Config() { duckdb_destroy_config(&config_); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  Status Set(const char* name, const std::string& value) {
    if (duckdb_set_config(config_, name, value.c_str()) == DuckDBSuccess) return {};
    return Error{Code::kInternal, fmt::format("DuckDB refused the setting {} = '{}'", name, value)};
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

std::string TextList(std::span<const std::string> texts) {
  std::string list = "[";
  for (const std::string& text : texts) list += (list.size() > 1 ? ", " : "") + SqlText(text);
  return list + "]";
}

}  // namespace

void SetExtensionFolder(std::string folder) {
  std::lock_guard lock(folder_mutex);
  extension_folder = std::move(folder);
}

struct Instance::Impl {
  duckdb_database database = nullptr;
  ~Impl() { duckdb_close(&database); }
};

Instance::Instance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Instance::~Instance() = default;

Result<std::unique_ptr<Instance>> Instance::Open(const Options& options) {
  return Guarded([&]() -> Result<std::unique_ptr<Instance>> {
    Config config;
    TRY(config.Set("threads", std::to_string(options.threads)));
    TRY(config.Set("memory_limit", fmt::format("{}B", options.memory_bytes)));
    TRY(config.Set("temp_directory", options.temp_folder));
    TRY(config.Set("extension_directory", ExtensionFolder()));
    TRY(config.Set("autoinstall_known_extensions", "false"));
    TRY(config.Set("autoload_known_extensions", "false"));
    TRY(config.Set("allow_community_extensions", "false"));
    TRY(config.Set("allow_persistent_secrets", "false"));
    auto impl = std::make_unique<Impl>();
    char* failure = nullptr;
    if (duckdb_open_ext(nullptr, &impl->database, config.get(), &failure) != DuckDBSuccess) {
      Error error = ErrorOf(failure ? failure : "");
      duckdb_free(failure);
      return std::move(error).With("cannot open an engine");
    }
    std::unique_ptr<Instance> instance(new Instance(std::move(impl)));
    auto connection = TRY(instance->Connect());
    TRY(connection->Execute("SET GLOBAL TimeZone = 'UTC'"));
    for (const std::string& name : options.extensions) {
      Status loaded = connection->Execute("LOAD " + SqlName(name));
      if (!loaded) return loaded.TakeError().With(fmt::format("cannot load the engine's extension '{}'", name));
    }
    return instance;
  });
}

Result<std::unique_ptr<Connection>> Instance::Connect(std::string_view settings) {
  return Guarded([&]() -> Result<std::unique_ptr<Connection>> {
    duckdb_connection handle = nullptr;
    if (duckdb_connect(impl_->database, &handle) != DuckDBSuccess) {
      return Error{Code::kInternal, "cannot connect to the engine"};
    }
    auto connection = NewConnection(handle);
    if (!settings.empty()) TRY(connection->Execute(settings));
    return connection;
  });
}

Status Instance::Lock(std::span<const std::string> paths, const std::string& write_folder) {
  auto connection = TRY(Connect());
  TRY(connection->Execute("SET allowed_paths = " + TextList(paths)));
  if (!write_folder.empty()) {
    const std::string folder = write_folder.ends_with('/') ? write_folder : write_folder + "/";
    TRY(connection->Execute("SET allowed_directories = [" + SqlText(folder) + "]"));
  }
  return connection->Execute("SET enable_external_access = false; SET lock_configuration = true");
}

}  // namespace weft::engine
