#include <duckdb.h>
#include <fmt/format.h>

#include <cerrno>

#include "base/text.h"
#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

// Owns a chunk.
class Chunk {
 public:
  Chunk() = default;
  explicit Chunk(duckdb_data_chunk handle) : handle_(handle) {}
  Chunk(Chunk&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Chunk& operator=(Chunk&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Chunk() {
    if (handle_) duckdb_destroy_data_chunk(&handle_);
  }
  duckdb_data_chunk get() const { return handle_; }
  int64_t size() const { return static_cast<int64_t>(duckdb_data_chunk_get_size(handle_)); }

 private:
  duckdb_data_chunk handle_ = nullptr;
};

// Owns a result, streaming or not.
class Answer {
 public:
  Answer() = default;
  ~Answer() { duckdb_destroy_result(&result_); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  duckdb_result* get() { return &result_; }

  Error TakeError() {
    const char* message = duckdb_result_error(&result_);
    return ErrorOf(message ? message : "");
  }

  // The next chunk, or one without a handle after the last.
  Result<Chunk> Fetch() {
    Chunk chunk(duckdb_fetch_chunk(result_));
    if (chunk.get()) return chunk;
    const char* message = duckdb_result_error(&result_);
    if (message && *message) return ErrorOf(message);
    return chunk;
  }

 private:
  duckdb_result result_{};
};

// Owns a prepared statement.
class Prepared {
 public:
  Prepared() = default;
  ~Prepared() { duckdb_destroy_prepare(&statement_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  duckdb_prepared_statement get() const { return statement_; }

  Status Prepare(duckdb_connection connection, std::string_view sql) {
    if (duckdb_prepare(connection, std::string(sql).c_str(), &statement_) == DuckDBSuccess) return {};
    const char* message = duckdb_prepare_error(statement_);
    return ErrorOf(message ? message : "");
  }

  // Texts take the type that their parameter has in the statement.
  Status Bind(std::span<const Value> params) {
    const idx_t wanted = duckdb_nparams(statement_);
    if (wanted != params.size()) {
      return Error{Code::kInvalid, fmt::format("the statement has {} and {} given", Count(wanted, "parameter"),
                                               params.size() == 1 ? "1 is" : fmt::format("{} are", params.size()))};
    }
    for (idx_t i = 0; i < wanted; ++i) {
      const Value& value = params[i];
      const duckdb_state bound = value ? duckdb_bind_varchar_length(statement_, i + 1, value->data(), value->size())
                                       : duckdb_bind_null(statement_, i + 1);
      if (bound != DuckDBSuccess) return Error{Code::kInvalid, fmt::format("parameter ${} is not valid UTF-8", i + 1)};
    }
    return {};
  }

  Status Run(bool streaming, Answer& answer) {
    duckdb_pending_result pending = nullptr;
    const duckdb_state started = streaming ? duckdb_pending_prepared_streaming(statement_, &pending)
                                           : duckdb_pending_prepared(statement_, &pending);
    Status outcome;
    if (started != DuckDBSuccess) {
      const char* message = duckdb_pending_error(pending);
      outcome = ErrorOf(message ? message : "");
    } else if (duckdb_execute_pending(pending, answer.get()) != DuckDBSuccess) {
      outcome = answer.TakeError();
    }
    duckdb_destroy_pending(&pending);
    return outcome;
  }

 private:
  duckdb_prepared_statement statement_ = nullptr;
};

Status Check(duckdb_error_data data) {
  if (!data) return {};
  Status status;
  if (duckdb_error_data_has_error(data)) status = ErrorOf(duckdb_error_data_message(data));
  duckdb_destroy_error_data(&data);
  return status;
}

// Column names and types, as the C API wants them.
class Columns {
 public:
  Columns() = default;
  ~Columns() {
    for (duckdb_logical_type& type : types_) duckdb_destroy_logical_type(&type);
  }
  Columns(const Columns&) = delete;
  Columns& operator=(const Columns&) = delete;

  void Add(const char* name, duckdb_logical_type type) {
    names_.emplace_back(name ? name : "");
    types_.push_back(type);
  }
  bool Known() const {
    for (duckdb_logical_type type : types_) {
      if (!type || duckdb_get_type_id(type) == DUCKDB_TYPE_INVALID) return false;
    }
    return true;
  }
  std::span<const duckdb_logical_type> types() const { return types_; }
  Status Export(duckdb_arrow_options options, ArrowSchema* out) {
    std::vector<const char*> names;
    for (const std::string& name : names_) names.push_back(name.c_str());
    return Check(duckdb_to_arrow_schema(options, types_.data(), names.data(), names.size(), out));
  }
  static void Of(duckdb_result* result, Columns& columns) {
    for (idx_t i = 0; i < duckdb_column_count(result); ++i) {
      columns.Add(duckdb_column_name(result, i), duckdb_column_logical_type(result, i));
    }
  }

 private:
  std::vector<std::string> names_;
  std::vector<duckdb_logical_type> types_;
};

// What an exported stream keeps. The statement lives as long as its result.
class Source {
 public:
  explicit Source(std::unique_ptr<Prepared> statement) : statement_(std::move(statement)) {}
  ~Source() { duckdb_destroy_arrow_options(&options_); }

  Status Open(std::span<const Value> params) {
    TRY(statement_->Bind(params));
    TRY(statement_->Run(true, answer_));
    options_ = duckdb_result_get_arrow_options(answer_.get());
    Columns columns;
    Columns::Of(answer_.get(), columns);
    ArrowSchema schema{};
    TRY(columns.Export(options_, &schema));
    gatherer_ = Gatherer::For(columns.types(), schema);
    schema.release(&schema);
    return {};
  }

  int Schema(ArrowSchema* out) {
    Status done = Guarded([&]() -> Status {
      Columns columns;
      Columns::Of(answer_.get(), columns);
      return columns.Export(options_, out);
    });
    return done ? 0 : Fail(done);
  }

  const char* last_error() const { return error_.c_str(); }

  int Next(ArrowArray* out) {
    out->release = nullptr;
    Status done = Guarded([&]() -> Status {
      if (gatherer_) return Gather(out);
      chunk_ = TRY(answer_.Fetch());
      return chunk_.get() ? Check(duckdb_data_chunk_to_arrow(options_, chunk_.get(), out)) : Status();
    });
    return done ? 0 : Fail(done);
  }

 private:
  int Fail(const Status& status) {
    error_ = status.error().message;
    return status.error().code == Code::kUnavailable ? EAGAIN : EIO;
  }

  // Fetches until the batch is full. Where it fails, the rows that were gathered go with it.
  Status Gather(ArrowArray* out) {
    while (!ended_) {
      if (!chunk_.get() || taken_ == chunk_.size()) {
        chunk_ = TRY(answer_.Fetch());
        taken_ = 0;
        ended_ = !chunk_.get();
        if (ended_) break;
      }
      taken_ += TRY(gatherer_->Add(chunk_.get(), taken_));
      if (taken_ < chunk_.size()) break;
    }
    if (gatherer_->rows() > 0) gatherer_->Take(out);
    return {};
  }

  std::unique_ptr<Prepared> statement_;
  Answer answer_;
  duckdb_arrow_options options_ = nullptr;
  std::unique_ptr<Gatherer> gatherer_;  // None where the engine's own conversion is needed.
  Chunk chunk_;                         // Its rows before `taken_` have been gathered.
  int64_t taken_ = 0;
  bool ended_ = false;  // Behind the last chunk the engine answers with an error.
  std::string error_;
};

class QueryStream final : public Stream {
 public:
  explicit QueryStream(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  void Export(ArrowArrayStream* out) override { ExportStream(std::move(source_), out); }

 private:
  std::unique_ptr<Source> source_;
};

class DuckStatement final : public Statement {
 public:
  DuckStatement(duckdb_connection connection, std::string_view sql) : connection_(connection), sql_(sql) {}

  Status Prepare() { return statement_->Prepare(connection_, sql_); }

  Status Describe(ArrowSchema* schema, std::vector<std::string>* parameters) override {
    return Guarded([&]() -> Status {
      duckdb_prepared_statement statement = statement_->get();
      parameters->clear();
      for (idx_t i = 1; i <= duckdb_nparams(statement); ++i) {
        const char* name = duckdb_parameter_name(statement, i);
        parameters->emplace_back(name ? name : std::to_string(i));
        duckdb_free(const_cast<char*>(name));
      }
      Columns columns;
      for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
        const char* name = duckdb_prepared_statement_column_name(statement, i);
        columns.Add(name, duckdb_prepared_statement_column_logical_type(statement, i));
        duckdb_free(const_cast<char*>(name));
      }
      duckdb_arrow_options options = nullptr;
      duckdb_connection_get_arrow_options(connection_, &options);
      Status exported =
          columns.Known() ? columns.Export(options, schema) : DescribeWithNulls(parameters->size(), options, schema);
      duckdb_destroy_arrow_options(&options);
      return exported;
    });
  }

  Result<std::unique_ptr<Stream>> Open(std::span<const Value> params) override {
    return Guarded([&]() -> Result<std::unique_ptr<Stream>> {
      auto source = std::make_unique<Source>(std::move(statement_));
      TRY(source->Open(params));
      return std::make_unique<QueryStream>(std::move(source));
    });
  }

 private:
  // Where a column's type hangs on a parameter's, it is the type that a text gives it.
  Status DescribeWithNulls(size_t count, duckdb_arrow_options options, ArrowSchema* schema) {
    Prepared statement;
    Answer answer;
    TRY(statement.Prepare(connection_, fmt::format("SELECT * FROM (\n{}\n) LIMIT 0", sql_)));
    TRY(statement.Bind(std::vector<Value>(count, Value(""))));
    TRY(statement.Run(false, answer));
    Columns columns;
    Columns::Of(answer.get(), columns);
    return columns.Export(options, schema);
  }

  const duckdb_connection connection_;
  const std::string sql_;
  std::unique_ptr<Prepared> statement_ = std::make_unique<Prepared>();
};

class DuckConnection final : public Connection {
 public:
  explicit DuckConnection(duckdb_connection handle) : handle_(handle) {}
  ~DuckConnection() override { duckdb_disconnect(&handle_); }

  Status Execute(std::string_view sql) override {
    return Guarded([&]() -> Status {
      Answer answer;
      if (duckdb_query(handle_, std::string(sql).c_str(), answer.get()) == DuckDBSuccess) return {};
      return answer.TakeError();
    });
  }

  Result<Rows> Query(std::string_view sql, std::span<const Value> params) override {
    return Guarded([&]() -> Result<Rows> {
      Prepared statement;
      Answer answer;
      TRY(statement.Prepare(handle_, sql));
      TRY(statement.Bind(params));
      TRY(statement.Run(false, answer));
      return Collect(answer);
    });
  }

  Result<std::unique_ptr<Statement>> Prepare(std::string_view sql) override {
    return Guarded([&]() -> Result<std::unique_ptr<Statement>> {
      auto statement = std::make_unique<DuckStatement>(handle_, sql);
      TRY(statement->Prepare());
      return statement;
    });
  }

  Result<Json> ParseTree(std::string_view sql) override {
    const Value text{std::string(sql)};
    Rows rows = TRY(Query("SELECT json_serialize_sql($1::VARCHAR)", std::span(&text, 1)));
    return Json::Parse(rows.text(0, 0));
  }

  Result<std::string> ExactFunction(std::string_view type) override {
    return Guarded([&]() -> Result<std::string> { return DefineExact(handle_, type); });
  }

  Status DefineTokens(const std::string& name, const Secret& key) override {
    return Guarded([&]() -> Status { return DefineTokensOf(handle_, name, key); });
  }

  void Interrupt() override { duckdb_interrupt(handle_); }
  double Progress() override { return duckdb_query_progress(handle_).percentage; }

 private:
  static Result<Rows> Collect(Answer& answer) {
    Rows rows;
    for (idx_t i = 0; i < duckdb_column_count(answer.get()); ++i) {
      rows.names.emplace_back(duckdb_column_name(answer.get(), i));
      duckdb_logical_type type = duckdb_column_logical_type(answer.get(), i);
      rows.types.push_back(TypeName(type));
      duckdb_destroy_logical_type(&type);
    }
    while (true) {
      Chunk chunk = TRY(answer.Fetch());
      if (!chunk.get()) return rows;
      TRY(AppendCells(chunk.get(), rows));
    }
  }

  duckdb_connection handle_;
};

}  // namespace

std::unique_ptr<Connection> NewConnection(duckdb_connection handle) { return std::make_unique<DuckConnection>(handle); }

}  // namespace weft::engine
