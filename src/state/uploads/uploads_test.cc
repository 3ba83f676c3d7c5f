#include "state/uploads/uploads.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"

namespace weft::uploads {
namespace {

TEST(Uploads, KeepsBytesByTheirHashAndNothingElse) {
  const fs::path folder = fs::temp_directory_path() / ("weft-uploads-" + NewSecret(6));
  ASSERT_TRUE(MakeFolders(folder / "kept"));
  Uploads uploads((folder / "kept").string());
  const std::string hash = Sha256("rows");
  EXPECT_FALSE(uploads.Has(hash));
  EXPECT_FALSE(uploads.Has("../../etc/passwd"));
  EXPECT_EQ(uploads.PutBytes(Sha256("other"), "rows").error().code, Code::kInvalid);
  EXPECT_EQ(uploads.PutBytes("../x", "rows").error().code, Code::kInvalid);
  const fs::path file = folder / "sent";
  ASSERT_TRUE(WriteFileAtomically(file, "rows"));
  EXPECT_EQ(uploads.Put(Sha256("other"), file.string()).error().code, Code::kInvalid);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_TRUE(uploads.Put(hash, file.string()));
  EXPECT_FALSE(fs::exists(file));
  EXPECT_TRUE(uploads.Has(hash));
  EXPECT_EQ(ReadFile(uploads.PathOf(hash)).value(), "rows");
  EXPECT_TRUE(uploads.PutBytes(hash, "rows"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace weft::uploads
