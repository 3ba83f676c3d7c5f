#include <future>
#include <random>
#include <set>
#include <thread>

#include "state/lake/acts.h"
#include "state/lake/testing.h"

namespace weft::lake {
namespace {

class UpkeepTest : public LakeTest {
 protected:
  void SetUp() override {
    LakeTest::SetUp();
    auto instance = engine::Instance::Open(
        {.threads = 1, .memory_bytes = int64_t{96} << 20, .temp_folder = "", .extensions = {"avro"}});
    ASSERT_TRUE(instance) << instance.error().message;
    avro_instance_ = instance.TakeValue();
    avro_ = avro_instance_->Connect().value();
  }
  void TearDown() override {
    avro_.reset();
    avro_instance_.reset();
    LakeTest::TearDown();
  }

  Act Begin(const std::string& id = NewId("upk")) {
    Act act{.id = id,
            .port = key_,
            .status = "running",
            .cause = "upkeep",
            .requested_by = "node",
            .requested_at = clock_.now};
    auto txn = store_->Begin().value();
    Status inserted = Insert(*txn, act, "a");
    EXPECT_TRUE(inserted) << inserted.error().message;
    EXPECT_TRUE(txn->Commit());
    return act;
  }
  void End(Act act) {
    act.status = "succeeded";
    auto txn = store_->Begin().value();
    EXPECT_TRUE(Update(*txn, act));
    EXPECT_TRUE(txn->Commit());
  }
  std::unique_ptr<Staging> Rewriting(const Act& act, std::vector<size_t> which, const std::string& order = "") {
    auto staging = lake_->StageRewrite(key_, act.id);
    EXPECT_TRUE(staging) << staging.error().message;
    std::vector<DataFile> of;
    for (const size_t i : which) of.push_back((*staging)->parent().files.at(i));
    Status written = (*staging)->Rewrite(*connection_, of, order);
    EXPECT_TRUE(written) << written.error().message;
    return staging.TakeValue();
  }
  Snapshot Compact(std::vector<size_t> which) {
    clock_.now.micros += 1'000'000;
    const Act act = Begin();
    auto staging = Rewriting(act, std::move(which));
    Status done = lake_->Take(*staging);
    if (done) done = lake_->Prepare(*staging, Operation::kReplace);
    EXPECT_TRUE(done) << done.error().message;
    auto snapshot = CommitTxn(*staging);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    End(act);
    return snapshot.value_or(Snapshot{});
  }
  Lake::Expired Expire(Instant before, const std::set<int64_t>& keep = {}) {
    const Act act = Begin();
    auto expired =
        lake_->Expire(key_, act.id, before, keep, [](store::Txn&, const Lake::Expired&) { return Status(); });
    EXPECT_TRUE(expired) << expired.error().message;
    End(act);
    return expired.value_or(Lake::Expired{});
  }
  std::vector<Snapshot> All() {
    auto txn = store_->Read().value();
    return History(*txn, key_).value();
  }
  // The data files of a snapshot by Iceberg's own files, and nothing else.
  std::multiset<std::string> FilesByManifests(int64_t snapshot, const Json& metadata) {
    std::multiset<std::string> files;
    for (const Json& each : metadata["snapshots"].Items()) {
      if (each["snapshot-id"].Int() != snapshot) continue;
      auto manifests =
          avro_->Query(fmt::format("SELECT manifest_path FROM read_avro({})", SqlText(each["manifest-list"].Text())));
      EXPECT_TRUE(manifests) << manifests.error().message;
      for (size_t i = 0; manifests && i < manifests->size(); ++i) {
        auto entries = avro_->Query(fmt::format("SELECT data_file.file_path FROM read_avro({}) WHERE status <> 2",
                                                SqlText(manifests->text(i, 0))));
        EXPECT_TRUE(entries) << entries.error().message;
        for (size_t row = 0; entries && row < entries->size(); ++row) files.insert(entries->text(row, 0));
      }
    }
    return files;
  }

  std::unique_ptr<engine::Instance> avro_instance_;
  std::unique_ptr<engine::Connection> avro_;
};

TEST_F(UpkeepTest, FilesBecomeOneAndNoRowChanges) {
  const Snapshot one = Put("SELECT 2 AS id, 'b' AS name");
  const Snapshot two = Put("SELECT 1 AS id, 'a' AS name");
  const Snapshot three = Put("SELECT 3 AS id, NULL AS name");
  const Snapshot four = Compact({0, 2});
  EXPECT_EQ(four.operation, "replace");
  EXPECT_EQ(std::tuple(four.rows, four.files), (std::tuple<int64_t, int64_t>(3, 2)));
  EXPECT_EQ(four.rows_of(), three.id);
  EXPECT_EQ(four.run_id, three.run_id);
  EXPECT_EQ(four.rows_at, three.at);
  EXPECT_EQ(Scan(Seen()), "[1, a][2, b][3, NULL]");
  EXPECT_EQ(Scan(Seen({two.id, {}, ""})), "[1, a][2, b]");
  EXPECT_EQ(LineOf(All(), four.id), (std::vector<int64_t>{three.id, two.id, one.id})) << "it stands for the third";
  const Snapshot five = Compact({0, 1});
  EXPECT_EQ(five.rows_of(), three.id);
  const Snapshot six = Put("SELECT 4 AS id, 'd' AS name");
  EXPECT_EQ(LineOf(All(), six.id), (std::vector<int64_t>{six.id, three.id, two.id, one.id}));
  const Json metadata = Json::Parse(ReadFile(Seen().table.metadata_path).value()).value();
  const Json& summary = metadata["snapshots"][3]["summary"];
  EXPECT_EQ(summary["operation"].Text(), "replace");
  EXPECT_EQ(summary["deleted-data-files"].Text(), "2");
  EXPECT_EQ(summary["deleted-records"].Text(), "2");
  EXPECT_EQ(summary["added-records"].Text(), "2");
}

TEST_F(UpkeepTest, ARewriteOfOtherRowsIsRefused) {
  Put("SELECT 1 AS id, 'a' AS name");
  Put("SELECT 2 AS id, 'b' AS name");
  const Act act = Begin();
  auto staging = lake_->StageRewrite(key_, act.id).value();
  const std::vector<DataFile> files = staging->parent().files;
  // An order that lets rows go stands for whatever else might.
  Status refused = staging->Rewrite(*connection_, files, "id LIMIT 1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInternal);
  EXPECT_NE(refused.error().message.find("do not have the same rows"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(staging->files().empty());
  EXPECT_EQ(lake_->Take(*staging).error().code, Code::kNotFound) << "what is not proven is not committed";
}

TEST_F(UpkeepTest, ItKeepsWhatIsValidOfALostRace) {
  for (int i = 1; i <= 4; ++i) Put(fmt::format("SELECT {} AS id, 'x' AS name", i));
  const Act act = Begin();
  auto staging = Rewriting(act, {0, 1});
  {
    const std::vector<DataFile>& files = staging->parent().files;
    ASSERT_TRUE(staging->Rewrite(*connection_, {files[2], files[3]}, ""));
  }
  ASSERT_EQ(staging->files().size(), 2u);
  {
    auto run = Stage("run_2");
    run->Remove({run->parent().files.at(3)});
    ASSERT_TRUE(run->Write(*connection_, "SELECT 40 AS id, 'y' AS name", ""));
    Status held = lake_->Take(*staging);
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code, Code::kConflict) << "a run goes first";
    ASSERT_TRUE(lake_->Prepare(*run, Operation::kAppend));
    ASSERT_TRUE(CommitTxn(*run));
  }
  ASSERT_TRUE(lake_->Take(*staging));
  EXPECT_EQ(staging->files().size(), 1u);
  // A run that comes now waits for the commit, and sees it.
  auto waiting = std::async(std::launch::async, [&] { return lake_->Stage(key_, schema_, "1.0.0", "run_3"); });
  ASSERT_TRUE(lake_->Prepare(*staging, Operation::kReplace));
  const Snapshot snapshot = CommitTxn(*staging).value();
  auto run = waiting.get();
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ((*run)->parent().snapshot->id, snapshot.id);
  EXPECT_EQ(Scan(Seen()), "[1, x][2, x][3, x][40, y]");
  EXPECT_EQ(Seen().files.size(), 3u);
}

TEST_F(UpkeepTest, NothingIsLeftOfARewriteWhoseFilesAreGone) {
  Put("SELECT 1 AS id, 'a' AS name");
  Put("SELECT 2 AS id, 'b' AS name");
  const Act act = Begin();
  auto staging = Rewriting(act, {0, 1});
  Put("SELECT 3 AS id, 'c' AS name", Operation::kOverwrite);
  EXPECT_EQ(lake_->Take(*staging).error().code, Code::kNotFound);
  const std::string folder = staging->folder();
  staging.reset();
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_TRUE(Stage()) << "its lease has ended";
}

TEST_F(UpkeepTest, OneThatWasGivenUpCommitsNothing) {
  Put("SELECT 1 AS id, 'a' AS name");
  Put("SELECT 2 AS id, 'b' AS name");
  Act act = Begin();
  auto staging = Rewriting(act, {0, 1});
  {
    auto txn = store_->Begin().value();
    EXPECT_EQ(Insert(*txn, Act{.id = "upk_2", .port = key_, .status = "pending"}, "b").error().code, Code::kConflict);
    EXPECT_TRUE(EndLost(*txn, Instant{clock_.now.micros + 59'000'000})->empty());
    EXPECT_EQ(Renew(*txn, "a", clock_.now)->size(), 0u);
    ASSERT_TRUE(AskToStop(*txn, act.id));
    EXPECT_EQ(Renew(*txn, "a", clock_.now).value(), std::vector<std::string>{act.id});
    EXPECT_EQ(EndLost(*txn, Instant{clock_.now.micros + 61'000'000})->size(), 1u);
    ASSERT_TRUE(txn->Commit());
  }
  ASSERT_TRUE(lake_->Take(*staging));
  ASSERT_TRUE(lake_->Prepare(*staging, Operation::kReplace));
  auto txn = store_->Begin().value();
  ASSERT_TRUE(lake_->Commit(*txn, *staging));
  EXPECT_EQ(Update(*txn, act).error().code, Code::kNotFound) << "which is part of every commit of upkeep";
}

TEST_F(UpkeepTest, SnapshotsThatWereSupersededLongAgoAreForgotten) {
  clock_.now = SystemClock().Now();
  const Snapshot one = Put("SELECT 1 AS id, 'a' AS name");
  const Snapshot two = Put("SELECT 2 AS id, 'b' AS name", Operation::kOverwrite);
  const Snapshot three = Put("SELECT 3 AS id, 'c' AS name", Operation::kOverwrite);
  const Snapshot four = Put("SELECT 4 AS id, 'd' AS name");
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(Tag(*txn, key_, "first", one.id));
    ASSERT_TRUE(txn->Commit());
  }
  EXPECT_TRUE(Expire(three.at).snapshots.empty()) << "the second was current until then";
  const std::string second = Seen({two.id, {}, ""}).files.at(0).path;
  const View open = Seen({two.id, {}, ""});
  clock_.now.micros += 1'000'000;
  const Lake::Expired expired = Expire(Instant{four.at.micros}, {});
  EXPECT_EQ(expired.snapshots, std::vector<int64_t>{two.id});
  EXPECT_EQ(expired.files, 1);
  EXPECT_GT(expired.bytes, 0);
  ASSERT_EQ(All().size(), 3u);
  auto txn = store_->Read().value();
  auto gone = Open(*txn, key_, {two.id, {}, ""});
  EXPECT_EQ(gone.error().code, Code::kNotFound);
  EXPECT_NE(gone.error().message.find("expired"), std::string::npos) << gone.error().message;
  EXPECT_EQ(Open(*txn, key_, {{}, two.at, ""}).error().code, Code::kNotFound) << "the first was not current then";
  EXPECT_EQ(Open(*txn, key_, {{}, Instant{three.at.micros - 1}, ""}).error().code, Code::kNotFound);
  EXPECT_EQ(Open(*txn, key_, {{}, Instant{two.at.micros - 1}, ""})->snapshot->id, one.id);
  EXPECT_EQ(Open(*txn, key_, {{}, three.at, ""})->snapshot->id, three.id);
  txn.reset();
  const Json metadata = Json::Parse(ReadFile(Seen().table.metadata_path).value()).value();
  EXPECT_EQ(metadata["snapshots"].size(), 3u);
  EXPECT_EQ(metadata["snapshot-log"].size(), 2u) << "what came before a gap is not told as if there was none";
  EXPECT_EQ(metadata["refs"]["first"]["snapshot-id"].Int(), one.id);
  // The files stay for whoever reads them, and for the age of the sweep.
  ASSERT_TRUE(fs::exists(second));
  EXPECT_TRUE(lake_->Sweep(Millis(3'600'000), clock_.now));
  EXPECT_TRUE(lake_->Sweep(Millis(0), Instant{clock_.now.micros - 1}));
  EXPECT_TRUE(fs::exists(second));
  EXPECT_EQ(Scan(open), "[2, b]");
  clock_.now.micros += 1'000'000;
  EXPECT_TRUE(lake_->Sweep(Millis(0), clock_.now));
  EXPECT_FALSE(fs::exists(second));
  EXPECT_EQ(Scan(Seen({{}, {}, "first"})), "[1, a]");
  EXPECT_EQ(Scan(Seen()), "[3, c][4, d]");
}

TEST_F(UpkeepTest, AHoldIsAsOldAsItsView) {
  const Instant now = SystemClock().Now();
  ASSERT_EQ(HeldSince(now), now);
  auto first = Hold();
  auto second = first;
  std::this_thread::sleep_for(Millis(2));
  first.reset();
  EXPECT_LE(HeldSince(now).micros, now.micros - 2'000);
  second.reset();
  EXPECT_EQ(HeldSince(now), now);
  Put("SELECT 1 AS id, 'a' AS name");
  {
    const View view = Seen();
    EXPECT_LT(HeldSince(now), now);
  }
  EXPECT_EQ(HeldSince(now), now);
}

// Whatever happens to a table, each of its snapshots has the rows that it was committed with, by the store and by
// Iceberg's files, and what the sweep leaves is what they need.
TEST_F(UpkeepTest, EverySnapshotKeepsItsRowsWhateverIsDone) {
  std::map<int64_t, std::string> rows;  // Of each snapshot.
  clock_.now = SystemClock().Now();
  for (const unsigned seed : {1u, 2u}) {
    std::mt19937 random(seed);
    auto pick = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
    int next = static_cast<int>(seed) * 1'000;
    for (int step = 0; step < 24; ++step) {
      const View now = Seen();
      const size_t files = now.files.size(), what = files == 0 ? 0 : pick(10);
      const std::string row = fmt::format("SELECT {} AS id, 'r' AS name", next++);
      Snapshot made;
      if (what < 4) {
        made = Put(row, what == 3 ? Operation::kOverwrite : Operation::kAppend);
      } else if (what == 4) {
        clock_.now.micros += 1'000'000;
        auto staging = Stage();
        staging->Remove({staging->parent().files.at(pick(files))});
        ASSERT_TRUE(staging->Write(*connection_, row, ""));
        ASSERT_TRUE(lake_->Prepare(*staging, Operation::kAppend));
        made = CommitTxn(*staging).value();
      } else if (what == 5) {
        clock_.now.micros += 1'000'000;
        const std::vector<Snapshot> all = All();
        auto staging = Stage();
        ASSERT_TRUE(staging->Restore(Seen({all.at(pick(all.size())).id, {}, ""})));
        ASSERT_TRUE(lake_->Prepare(*staging, Operation::kOverwrite));
        made = CommitTxn(*staging).value();
      } else if (what < 8 && files > 1) {
        std::vector<size_t> which;
        for (size_t i = 0; i < files; ++i) {
          if (pick(3) > 0) which.push_back(i);
        }
        if (which.size() < 2) which = {0, 1};
        made = Compact(which);
        EXPECT_EQ(Scan(Seen()), Scan(now));
      } else {
        const std::vector<Snapshot> all = All();
        for (const int64_t id : Expire(all.at(pick(all.size())).at).snapshots) rows.erase(id);
      }
      if (made.id != 0) rows[made.id] = Scan(Seen());
      clock_.now.micros += 1'000'000;
      ASSERT_TRUE(lake_->Sweep(Millis(0), clock_.now));
      const Json metadata = Json::Parse(ReadFile(Seen().table.metadata_path).value()).value();
      ASSERT_EQ(metadata["snapshots"].size(), rows.size());
      for (const auto& [id, want] : rows) {
        if (step % 8 != 7 && id != made.id) continue;
        const View view = Seen({id, {}, ""});
        ASSERT_EQ(Scan(view), want) << "seed " << seed << ", step " << step << ", snapshot " << id;
        std::multiset<std::string> paths;
        for (const DataFile& file : view.files) paths.insert(file.path);
        ASSERT_EQ(FilesByManifests(id, metadata), paths) << "seed " << seed << ", step " << step;
      }
    }
  }
  clock_.now.micros += 1'000'000;
  Expire(clock_.now);
  clock_.now.micros += 1'000'000;
  ASSERT_TRUE(lake_->Sweep(Millis(0), clock_.now));
  EXPECT_EQ(All().size(), 1u);
  auto txn = store_->Read().value();
  const auto files = static_cast<int64_t>(Seen().files.size());
  EXPECT_LE(txn->Run("SELECT count(*) FROM snapshots WHERE expired < 2")->at(0).integer(0), 2 * files + 2)
      << "rows of the store go too";
  EXPECT_EQ(txn->Run("SELECT count(*) FROM snapshot_files")->at(0).integer(0), files);
  EXPECT_EQ(txn->Run("SELECT count(*) FROM doomed_files")->at(0).integer(0), 0);
}

}  // namespace
}  // namespace weft::lake
