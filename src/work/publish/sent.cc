// Data files before and after products name them: who may send them, and when they go.
#include <fmt/format.h>

#include "base/file.h"
#include "state/catalog/catalog.h"
#include "work/publish/publish.h"

namespace weft::publish {
namespace {

constexpr size_t kSweepBatch = 200;  // Files a transaction: other writers wait for it.

// Decided inside a writing transaction, and removed inside it: whoever registers the file afterwards sees it gone.
Status SweepBatch(Context& context, std::span<const uploads::Uploads::File> files, Instant since, Swept* swept) {
  std::unique_ptr<store::Txn> txn = TRY(context.store.Begin());
  for (const uploads::Uploads::File& file : files) {
    if (TRY(catalog::HasData(*txn, file.sha256))) continue;
    if (TRY(uploads::SentSince(*txn, file.sha256, since))) continue;
    TRY(uploads::Forget(*txn, file.sha256));
    std::error_code failure;
    if (!fs::remove(file.path, failure) || failure) continue;  // Another time.
    ++swept->files;
    swept->bytes += file.bytes;
  }
  return txn->Commit();
}

}  // namespace

Result<model::Resource> WhereToPublish(Context& context, const model::Caller& caller) {
  auto txn = TRY(context.store.Read());
  const std::optional<model::Mesh> mesh = TRY(catalog::MeshOf(*txn));
  for (const model::Mesh::Domain& domain : mesh ? mesh->domains : std::vector<model::Mesh::Domain>{}) {
    model::Resource resource;
    resource.domain = domain.name;
    resource.Add(domain);
    // A token may be limited to one product of the domain: some data may still come with it.
    const model::Address& limited = caller.principal.limits.on;
    if (limited.port.empty()) resource.product = limited.product;
    const model::Decision decision =
        TRY(access::Decide(*txn, context.clock, caller, model::Action::kPublish, resource));
    if (decision.permitted) return resource;
  }
  for (const std::string& name : caller.principal.Names()) {
    for (model::Resource& resource : TRY(catalog::ProductsWith(*txn, name))) {
      const model::Decision decision =
          TRY(access::Decide(*txn, context.clock, caller, model::Action::kPublish, resource));
      if (decision.permitted) return std::move(resource);
    }
  }
  return model::Resource{};
}

Status NoteUpload(Context& context, const model::Caller& caller, const std::string& sha256) {
  std::unique_ptr<store::Txn> txn = TRY(context.store.Begin());
  if (!context.uploads.Has(sha256)) {
    return Error{Code::kConflict, fmt::format("the data file {} was swept away meanwhile: send it again", sha256)};
  }
  TRY(uploads::Note(*txn, context.clock, sha256, caller.principal.name));
  return txn->Commit();
}

Result<Swept> SweepUploads(Context& context, Millis age) {
  const std::vector<uploads::Uploads::File> files = TRY(context.uploads.OlderThan(age));
  const Instant since{context.clock.Now().micros - std::chrono::duration_cast<std::chrono::microseconds>(age).count()};
  Swept swept;
  for (size_t at = 0; at < files.size(); at += kSweepBatch) {
    const std::span batch = std::span(files).subspan(at, std::min(kSweepBatch, files.size() - at));
    TRY(SweepBatch(context, batch, since, &swept));
  }
  return swept;
}

}  // namespace weft::publish
