// The files of a former version of a product, with the numbers under which they can be published again.
#pragma once

#include <string>

#include "apps/weft/session.h"
#include "model/address.h"
#include "model/repository.h"

namespace weft::app {

// Every file of a version of a product, as it was applied; of the newest where none is named.
Result<std::vector<model::TextFile>> FilesOfVersion(Session& session, const std::string& product,
                                                    const std::string& version);

// Writes what the product's `version` said into the folder, which is new or empty, and tells what it is called now. A
// version is a promise and is never taken back: what an older one said goes out under the number that comes next.
Result<int> WriteFormerVersion(Session& session, const model::Address& product, const std::string& version,
                               const std::string& folder);

}  // namespace weft::app
