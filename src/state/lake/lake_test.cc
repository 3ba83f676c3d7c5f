#include "state/lake/lake.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "state/lake/testing.h"

namespace weft::lake {
namespace {

TEST_F(LakeTest, StagedRowsAreUnseenUntilTheCommit) {
  auto staging = Stage();
  ASSERT_TRUE(staging->Write(*connection_, "SELECT 'x' AS name, 1 AS id, 'more' AS other", ""));
  ASSERT_EQ(staging->files().size(), 1u);
  EXPECT_EQ(staging->files()[0].rows, 1);
  EXPECT_TRUE(staging->files()[0].path.starts_with(staging->folder()));
  ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
  View before = Seen();
  EXPECT_FALSE(before.snapshot);
  EXPECT_TRUE(before.files.empty());
  before.schema = schema_;
  EXPECT_EQ(Scan(before), "");
  Snapshot snapshot = CommitTxn(*staging).value();
  EXPECT_EQ(snapshot.rows, 1);
  EXPECT_EQ(snapshot.operation, "append");
  EXPECT_EQ(snapshot.run_id, "run_1");
  EXPECT_EQ(Scan(Seen()), "[1, x]");
  EXPECT_EQ(Seen().table.version, 1);
  EXPECT_EQ(Seen().table.contract_version, "1.0.0");
  const std::string hint = ReadFile(Location() / "metadata/version-hint.text").value();
  EXPECT_TRUE(fs::exists(Location() / "metadata" / (hint + ".metadata.json")));
}

TEST_F(LakeTest, AppendsAddOverwritesReplaceAndEverySnapshotStaysReadable) {
  Snapshot one = Put("SELECT 1 AS id, 'a' AS name");
  Snapshot two = Put("SELECT 2 AS id, 'b' AS name");
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(Tag(*txn, key_, "q1", two.id));
    ASSERT_TRUE(Tag(*txn, key_, "q1", two.id)) << "again is no change";
    Status moved = Tag(*txn, key_, "q1", one.id);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().code, Code::kConflict);
    EXPECT_FALSE(Tag(*txn, key_, "main", two.id));
    EXPECT_EQ(Tag(*txn, key_, "other", 5).error().code, Code::kNotFound);
    ASSERT_TRUE(txn->Commit());
  }
  Snapshot three = Put("SELECT 3 AS id, NULL AS name", Operation::kOverwrite);
  Snapshot four = Put("SELECT 4 AS id, 'd' AS name");
  EXPECT_EQ(four.rows, 2);
  EXPECT_EQ(four.files, 2);
  EXPECT_EQ(four.added_rows, 1);
  EXPECT_EQ(four.parent, three.id);
  EXPECT_EQ(Scan(Seen()), "[3, NULL][4, d]");
  EXPECT_EQ(Scan(Seen({one.id, {}, ""})), "[1, a]");
  EXPECT_EQ(Scan(Seen({{}, {}, "q1"})), "[1, a][2, b]");
  EXPECT_EQ(Scan(Seen({{}, three.at, ""})), "[3, NULL]");
  EXPECT_EQ(Scan(Seen({{}, Instant{three.at.micros - 1}, ""})), "[1, a][2, b]");
  auto txn = store_->Read().value();
  EXPECT_EQ(Open(*txn, key_, {{}, Instant{one.at.micros - 1}, ""}).error().code, Code::kNotFound);
  EXPECT_EQ(Open(*txn, key_, {{}, {}, "none"}).error().code, Code::kNotFound);
  auto history = History(*txn, key_).value();
  ASSERT_EQ(history.size(), 4u);
  EXPECT_EQ(history[0].id, four.id);
  EXPECT_EQ(history[2].tags, std::vector<std::string>{"q1"});
  EXPECT_EQ(history[1].operation, "overwrite");
}

TEST_F(LakeTest, FilesThatAreRemovedStayInFormerSnapshots) {
  auto put = [&](std::vector<size_t> without, const std::string& select) {
    auto staging = Stage();
    std::vector<DataFile> removed;
    for (size_t file : without) removed.push_back(staging->parent().files.at(file));
    staging->Remove(removed);
    EXPECT_EQ(staging->Kept().size() + removed.size(), staging->parent().files.size());
    Status written = staging->Write(*connection_, select, "id", 1'000'000);
    EXPECT_TRUE(written) << written.error().message;
    EXPECT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
    return CommitTxn(*staging).value_or(Snapshot{});
  };
  Snapshot one = Put("SELECT 1 AS id, 'a' AS name");
  Snapshot two = Put("SELECT 2 AS id, 'b' AS name");
  Snapshot three = put({0}, "SELECT 1 AS id, 'c' AS name UNION ALL SELECT 3, 'd'");
  EXPECT_EQ(three.operation, "overwrite");
  EXPECT_EQ(std::tuple(three.rows, three.files, three.added_rows), (std::tuple<int64_t, int64_t, int64_t>(3, 2, 2)));
  EXPECT_EQ(Scan(Seen()), "[1, c][2, b][3, d]");
  Snapshot four = put({0, 1}, "SELECT 4 AS id, 'e' AS name");
  EXPECT_EQ(std::tuple(four.rows, four.files), (std::tuple<int64_t, int64_t>(1, 1)));
  EXPECT_EQ(Scan(Seen()), "[4, e]");
  EXPECT_EQ(Scan(Seen({one.id, {}, ""})), "[1, a]");
  EXPECT_EQ(Scan(Seen({two.id, {}, ""})), "[1, a][2, b]");
  EXPECT_EQ(Scan(Seen({three.id, {}, ""})), "[1, c][2, b][3, d]");
  // A rollback has the files again, and others can be removed from it.
  {
    auto staging = Stage();
    ASSERT_TRUE(staging->Restore(Seen({three.id, {}, ""})));
    ASSERT_TRUE(lake_->Prepare(*staging, Operation::kOverwrite));
    ASSERT_TRUE(CommitTxn(*staging));
  }
  EXPECT_EQ(Scan(Seen()), "[1, c][2, b][3, d]");
  put({1}, "SELECT 5 AS id, 'f' AS name");
  EXPECT_EQ(Scan(Seen()), "[2, b][5, f]");
  EXPECT_EQ(Scan(Seen({three.id, {}, ""})), "[1, c][2, b][3, d]");
  EXPECT_EQ(lake_->Sweep(Millis{0}, clock_.now).value().files, 0) << "every file is of some snapshot";
}

TEST_F(LakeTest, NoRowsAreAStateToo) {
  Snapshot none = Put("SELECT 1 AS id, 'a' AS name WHERE false");
  EXPECT_EQ(none.rows, 0);
  EXPECT_EQ(none.files, 0);
  View view = Seen();
  ASSERT_TRUE(view.snapshot);
  EXPECT_EQ(Scan(view), "");
  Put("SELECT 1 AS id, 'a' AS name");
  EXPECT_EQ(Scan(Seen()), "[1, a]");
  Put("SELECT 1 AS id, 'a' AS name WHERE false", Operation::kOverwrite);
  EXPECT_EQ(Scan(Seen()), "");
}

TEST_F(LakeTest, ColumnsFollowTheirIdsThroughRenamesDropsAndAdditions) {
  model::Property device = Column("device", "object", "", "device");
  device.properties = {Column("kind", "string", "", "kind"), Column("os", "string", "", "os")};
  model::Property list = Column("list", "array", "", "list"), map = Column("map", "map", "", "map");
  list.items = {device};
  map.map = {Column("key", "string"), device};
  schema_ = SchemaOf({Column("id", "integer", "int", "id"), Column("name", "string", "", "name"),
                      Column("old", "string", "", "old"), device, list, map});
  const std::string struct_value = "{'kind': 'k', 'os': 'o'}";
  Snapshot first = Put(fmt::format(
      "SELECT 1 AS id, 'a' AS name, 'x' AS old, {0} AS device, [{0}, NULL] AS list, MAP {{'m': {0}}} AS map",
      struct_value));

  device.properties = {Column("model", "string", "", "model"), Column("sort", "string", "", "kind")};
  list.items = {device};
  map.map = {Column("key", "string"), device};
  // `name` is renamed and `old` dropped; another column takes the name `old`.
  schema_ = SchemaOf({Column("old", "date", "", "old2"), Column("title", "string", "", "name"),
                      Column("id", "integer", "bigint", "id"), device, list, map},
                     &schema_);
  Put("SELECT 3000000000 AS id, 'b' AS title, DATE '2020-01-01' AS old, {'model': 'm', 'sort': 's'} AS device, [] AS "
      "list, MAP {} AS map");
  View view = Seen();
  ASSERT_EQ(view.table.schemas.size(), 2u);
  EXPECT_EQ(Scan(view, "id, title, old"), "[1, a, NULL][3000000000, b, 2020-01-01]");
  EXPECT_EQ(Scan(view, "device"), "[{'model': m, 'sort': s}][{'model': NULL, 'sort': k}]");
  auto rows = connection_->Query("SELECT list::VARCHAR, map::VARCHAR, typeof(id), typeof(old), typeof(list) FROM (" +
                                 ScanSql(view) + ") ORDER BY id");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "[{'model': NULL, 'sort': k}, NULL]");
  EXPECT_EQ(rows->text(0, 1), "{m={'model': NULL, 'sort': k}}");
  EXPECT_EQ(rows->text(0, 2), "BIGINT");
  EXPECT_EQ(rows->text(0, 3), "DATE");
  EXPECT_EQ(rows->text(1, 4), "STRUCT(model VARCHAR, sort VARCHAR)[]");
  EXPECT_EQ(Scan(Seen({first.id, {}, ""}), "id, name, old"), "[1, a, x]") << "an old snapshot has its own schema";
  std::vector<std::string> paths;
  ScanSql(view, &paths);
  EXPECT_EQ(paths.size(), 2u);
}

TEST_F(LakeTest, ARunThatFailsLeavesNothing) {
  {
    auto staging = Stage();
    auto wrong = staging->Write(*connection_, "SELECT 'x' AS id, 'a' AS name", "");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::kInvalid);
    ASSERT_FALSE(staging->Write(*connection_, "SELECT 1 AS id", ""));
    ASSERT_TRUE(staging->Write(*connection_, "SELECT 1 AS id, 'a' AS name", ""));
    ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
    auto txn = store_->Begin().value();
    ASSERT_TRUE(lake_->Commit(*txn, *staging));
    txn.reset();  // Rolls back.
    EXPECT_GT(FilesUnder(Location()), 0u);
  }
  EXPECT_EQ(FilesUnder(Location()), 0u);
  EXPECT_FALSE(Seen().snapshot);
  EXPECT_TRUE(lake_->Stage(key_, schema_, "1.0.0", "run_2")) << "and its lease is free";
}

TEST_F(LakeTest, ACommitWhoseOutcomeTheRunNeverLearnsKeepsItsFiles) {
  {
    auto staging = Stage();
    ASSERT_TRUE(staging->Write(*connection_, "SELECT 1 AS id, 'a' AS name", ""));
    ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
    auto txn = store_->Begin().value();
    ASSERT_TRUE(lake_->Commit(*txn, *staging));
    ASSERT_TRUE(txn->Commit());
  }
  EXPECT_EQ(Scan(Seen()), "[1, a]");
}

TEST_F(LakeTest, OneRunWritesAtATimeAndACrashedOneIsTakenOver) {
  auto first = Stage("run_1");
  ASSERT_TRUE(first->Write(*connection_, "SELECT 1 AS id, 'a' AS name", ""));
  auto second = lake_->Stage(key_, schema_, "1.0.0", "run_2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().message.find("run_1"), std::string::npos);
  clock_.now.micros += 50'000'000;
  ASSERT_TRUE(first->Renew());
  clock_.now.micros += 50'000'000;
  EXPECT_FALSE(lake_->Stage(key_, schema_, "1.0.0", "run_2")) << "a renewed lease lives on";
  clock_.now.micros += 11'000'000;
  auto taken = lake_->Stage(key_, schema_, "1.0.0", "run_2");
  ASSERT_TRUE(taken) << "a minute without a sign of life is over";
  EXPECT_EQ(first->Renew().error().code, Code::kConflict);
  ASSERT_TRUE(lake_->Prepare(*first, Operation::kAppend));
  EXPECT_EQ(CommitTxn(*first).error().code, Code::kConflict);
  ASSERT_TRUE((*taken)->Write(*connection_, "SELECT 2 AS id, 'b' AS name", ""));
  ASSERT_TRUE(lake_->Prepare(**taken, Operation::kAppend));
  first.reset();
  ASSERT_TRUE(CommitTxn(**taken)) << "the late holder's end does not touch the new one's lease";
  EXPECT_EQ(Scan(Seen()), "[2, b]");
}

TEST_F(LakeTest, TheLeaseOfADeadRunIsEndedAtOnce) {
  auto first = Stage("run_1");
  auto txn = store_->Begin().value();
  ASSERT_TRUE(EndLease(*txn, key_, "run_0"));
  ASSERT_TRUE(txn->Commit());
  EXPECT_FALSE(lake_->Stage(key_, schema_, "1.0.0", "run_2")) << "another's lease is left alone";
  txn = store_->Begin().value();
  ASSERT_TRUE(EndLease(*txn, key_, "run_1"));
  ASSERT_TRUE(txn->Commit());
  EXPECT_TRUE(lake_->Stage(key_, schema_, "1.0.0", "run_2"));
  EXPECT_EQ(first->Renew().error().code, Code::kConflict);
}

TEST_F(LakeTest, ALostRaceIsPreparedAgain) {
  Put("SELECT 1 AS id, 'a' AS name");
  auto staging = Stage();
  ASSERT_TRUE(staging->Write(*connection_, "SELECT 2 AS id, 'b' AS name", ""));
  ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(txn->Run("UPDATE tables SET version = version + 1"));
    ASSERT_TRUE(txn->Commit());
  }
  auto lost = CommitTxn(*staging);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kConflict);
  ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
  ASSERT_TRUE(CommitTxn(*staging));
  EXPECT_EQ(Seen().table.version, 3);
  EXPECT_EQ(Scan(Seen()), "[1, a][2, b]");
}

TEST_F(LakeTest, ASchemaMadeFromAnOlderOneIsRefused) {
  Put("SELECT 1 AS id, 'a' AS name");
  const model::TableSchema old = schema_;
  schema_ = SchemaOf({Column("id", "integer"), Column("name", "string"), Column("extra", "string")}, &old);
  Put("SELECT 2 AS id, 'b' AS name, 'x' AS extra");
  schema_ = SchemaOf({Column("id", "integer"), Column("name", "string"), Column("other", "date")}, &old);
  auto staging = lake_->Stage(key_, schema_, "1.2.0", "run_3");
  ASSERT_FALSE(staging);
  EXPECT_EQ(staging.error().code, Code::kConflict);
}

TEST_F(LakeTest, StatisticsTellWhatIsInTheFile) {
  model::Property item = Column("item", "string"), tags = Column("tags", "array");
  tags.items = {item};
  schema_ = SchemaOf(
      {Column("i", "integer", "int"), Column("d", "number"), Column("s", "string"), Column("n", "date"), tags});
  auto staging = Stage();
  Status written =
      staging->Write(*connection_,
                     "SELECT * FROM (VALUES (3, 'nan'::DOUBLE, 'a\"b,{}=''\\' || chr(0) || 'z', NULL, ['x', NULL]), "
                     "(-1, 2.5, 'b', NULL, NULL)) AS t(i, d, s, n, tags)",
                     "i");
  ASSERT_TRUE(written) << written.error().message;
  const DataFile& file = staging->files().at(0);
  EXPECT_EQ(static_cast<uintmax_t>(file.bytes), fs::file_size(file.path));
  EXPECT_EQ(file.split_offsets, std::vector<int64_t>{4});
  ASSERT_EQ(file.columns.size(), 5u);
  EXPECT_EQ(file.columns[0].min, "-1");
  EXPECT_EQ(file.columns[0].max, "3");
  EXPECT_TRUE(file.columns[1].has_nan);
  EXPECT_EQ(file.columns[1].max, "2.5") << "NaN is no bound";
  EXPECT_EQ(file.columns[2].min, std::string("a\"b,{}='\\\0z", 11));
  EXPECT_EQ(file.columns[3].nulls, 2);
  EXPECT_EQ(file.columns[3].min, std::nullopt);
  EXPECT_EQ(file.columns[4].values, 3);
  EXPECT_EQ(file.columns[4].min, std::nullopt) << "what is inside a list has no bounds";
  auto rows = connection_->Query("SELECT i FROM read_parquet(" + SqlText(file.path) + ")");
  EXPECT_EQ(rows->text(0, 0), "-1") << "sorted as asked";
  ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
  ASSERT_TRUE(CommitTxn(*staging));
  const View view = Seen();
  EXPECT_EQ(view.files.at(0).columns[2].min, file.columns[2].min);
  EXPECT_EQ(view.files.at(0).columns[1].has_nan, true);
  EXPECT_EQ(view.files.at(0).split_offsets, file.split_offsets);
}

TEST_F(LakeTest, AtMostAHundredColumnsCarryStatistics) {
  std::vector<model::Property> columns;
  std::string select;
  for (int i = 0; i < 120; ++i) {
    columns.push_back(Column(fmt::format("c{}", i), "integer"));
    select += fmt::format("{}{} AS c{}", i ? ", " : "SELECT ", i, i);
  }
  schema_ = SchemaOf(columns);
  auto staging = Stage();
  ASSERT_TRUE(staging->Write(*connection_, select, ""));
  EXPECT_EQ(staging->files()[0].columns.size(), 100u);
}

TEST_F(LakeTest, TheSweepTakesWhatNothingRefersTo) {
  Put("SELECT 1 AS id, 'a' AS name");
  Put("SELECT 2 AS id, 'b' AS name", Operation::kOverwrite);
  const size_t before = FilesUnder(Location());
  fs::create_directories(Location() / "data/crashed");
  ASSERT_TRUE(WriteFileAtomically(Location() / "data/crashed/part-00000.parquet", "1234567"));
  ASSERT_TRUE(WriteFileAtomically(Location() / "metadata/crashed-m0.avro", "123"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "lake/stranger.txt", "not ours"));
  auto staging = Stage("run_9");
  ASSERT_TRUE(staging->Write(*connection_, "SELECT 3 AS id, 'c' AS name", ""));

  clock_.now = SystemClock().Now();
  ASSERT_TRUE(staging->Renew());
  EXPECT_EQ(lake_->Sweep(Millis(3'600'000), clock_.now)->files, 0) << "younger than that";
  clock_.now.micros += 10'000'000;
  auto swept = lake_->Sweep(Millis(1'000), clock_.now);
  ASSERT_TRUE(swept) << swept.error().message;
  EXPECT_EQ(swept->files, 3) << "and the metadata of the first commit";
  EXPECT_GT(swept->bytes, 10);
  EXPECT_EQ(FilesUnder(Location()), before - 1 + 1) << "staged files of a live lease stay";
  EXPECT_FALSE(fs::exists(Location() / "data/crashed"));
  EXPECT_TRUE(fs::exists(folder_ / "lake/stranger.txt"));
  EXPECT_EQ(Scan(Seen()), "[2, b]");

  clock_.now.micros += 100'000'000;
  EXPECT_EQ(lake_->Sweep(Millis(1'000), clock_.now)->files, 1) << "a dead run's files go";
  EXPECT_EQ(staging->Renew().error().code, Code::kConflict) << "and it cannot commit them any more";
}

TEST(At, ReadsEveryWayToNameASnapshot) {
  EXPECT_EQ(At::Parse("snapshot:123")->snapshot_id, 123);
  EXPECT_EQ(At::Parse("tag:2026-01-01")->tag, "2026-01-01");
  EXPECT_EQ(At::Parse("release_1.0")->tag, "release_1.0");
  EXPECT_EQ(At::Parse("2026-01-31T09:00:00Z")->time->Text(), "2026-01-31T09:00:00.000000Z");
  EXPECT_EQ(At::Parse("2026-01-31")->tag, "");
  for (const char* bad : {"", "snapshot:", "snapshot:x", "tag:", "a b", "snapshot:-1", "a'b"}) {
    EXPECT_EQ(At::Parse(bad).error().code, Code::kInvalid) << bad;
  }
}

TEST_F(LakeTest, TheCodecIsOfTheFilesThatAreWrittenFromThenOn) {
  Put("SELECT 1 AS id, 'x' AS name");
  for (std::string_view name : {"snappy", "uncompressed"}) {
    lake_ = Lake::Open(*store_, clock_, folder_ / "lake", CodecFrom(name).value()).value();
    Put(fmt::format("SELECT 2 AS id, '{}' AS name", name));
  }
  const View view = Seen();
  EXPECT_EQ(Scan(view), "[1, x][2, snappy][2, uncompressed]");
  std::string codecs;
  for (const DataFile& file : view.files) {
    codecs += connection_->Query(fmt::format("SELECT DISTINCT compression FROM parquet_metadata('{}')", file.path))
                  ->cells[0][0]
                  .value_or("") +
              " ";
  }
  EXPECT_EQ(codecs, "ZSTD SNAPPY UNCOMPRESSED ");
  const Json metadata = Json::Parse(ReadFile(view.table.metadata_path).value()).value();
  EXPECT_EQ(metadata["properties"]["write.parquet.compression-codec"].Text(), "uncompressed");
  EXPECT_EQ(CodecFrom("lz4").error().message, "compression 'lz4' is none of: zstd, snappy, uncompressed");
}

TEST_F(LakeTest, AWarehouseThatReadsAsAPatternIsRefused) {
  auto lake = Lake::Open(*store_, clock_, folder_ / "weft-[x]");
  ASSERT_FALSE(lake);
  EXPECT_EQ(lake.error().code, Code::kInvalid);
}

}  // namespace
}  // namespace weft::lake
