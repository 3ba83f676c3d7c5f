#include <gtest/gtest.h>

#include <thread>

#include "work/query/testing.h"

namespace weft::query {
namespace {

using testing::Must;
using testing::TestMesh;

constexpr const char* kAll = "FROM sales.orders.orders_v1";

// A read that has begun.
struct Open {
  Open(TestMesh& mesh, const model::Caller& caller) : prepared(Must(mesh.engine().Prepare(caller, kAll, {}))) {
    Must(prepared->Execute({}, &stream));
  }
  ~Open() {
    if (stream.release) stream.release(&stream);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  // "" after a batch, "end", or the error.
  std::string Next() {
    ArrowArray array{};
    if (int failed = stream.get_next(&stream, &array)) {
      return std::string(CodeName(CodeOfErrno(failed))) + ": " + stream.get_last_error(&stream);
    }
    if (!array.release) return "end";
    array.release(&array);
    return "";
  }

  std::unique_ptr<Prepared> prepared;
  ArrowArrayStream stream{};
};

std::string OutcomeOf(TestMesh& mesh) {
  for (int i = 0; i < 100; ++i) {
    auto rows = mesh.Ledger("read.ended");
    if (!rows.empty()) return rows.back().entry.detail["outcome"].Text();
    std::this_thread::sleep_for(Millis(20));
  }
  return "none";
}

TEST(Attended, ARevocationStopsTheNextBatch) {
  TestMesh mesh({}, 200'000);
  Open read(mesh, mesh.CallerOf("ben"));
  EXPECT_EQ(read.Next(), "");
  mesh.Revoke("ben");
  std::this_thread::sleep_for(Millis(120));
  EXPECT_TRUE(read.Next().starts_with("denied: ben may no longer read sales.orders.orders_v1: "));
  EXPECT_FALSE(read.prepared->MayGoOn()) << "for what was made ahead";
  EXPECT_TRUE(read.Next().starts_with("denied: ben may no longer read"));
  EXPECT_EQ(OutcomeOf(mesh), "cut off");
  EXPECT_EQ(mesh.Ledger("denied").size(), 1u);
}

TEST(Attended, SoDoesWhatMeshYamlSaysOfTheReader) {
  TestMesh mesh({}, 200'000);
  auto groups = [&](std::vector<std::string> sellers, std::vector<std::string> guests) {
    auto txn = Must(mesh.store().Begin());
    Must(access::PutGroups(*txn, {{"sellers", std::move(sellers)}, {"guests", std::move(guests)}}));
    Must(txn->Commit());
    std::this_thread::sleep_for(Millis(120));
  };
  groups({"ana", "bea"}, {"dan", "claim:partners"});
  mesh.Grant("group:guests", Millis(600'000));
  // By the group that owns; by a group's grant; by the same group, for which an identity provider vouches.
  model::Caller foreign = mesh.CallerOf("eve");
  foreign.token_id = "jwt_1";
  foreign.principal.groups = {"guests"};
  Open ana(mesh, mesh.CallerOf("ana")), bea(mesh, mesh.CallerOf("bea")), dan(mesh, mesh.CallerOf("dan")),
      eve(mesh, foreign);
  for (Open* read : {&ana, &bea, &dan, &eve}) EXPECT_EQ(read->Next(), "");
  groups({"ana"}, {"claim:partners"});
  EXPECT_EQ(ana.Next(), "");
  EXPECT_TRUE(bea.Next().starts_with("denied: bea may no longer read sales.orders.orders_v1: "));
  EXPECT_TRUE(dan.Next().starts_with("denied: dan may no longer read sales.orders.orders_v1: "));
  EXPECT_EQ(eve.Next(), "");
  groups({"ana"}, {});
  EXPECT_TRUE(eve.Next().starts_with("denied: eve may no longer read sales.orders.orders_v1: "));
  {
    auto txn = Must(mesh.store().Begin());
    auto changed = Must(catalog::MeshOf(*txn));
    changed->domains[0].owners = {"bea"};
    Must(catalog::PutMesh(*txn, *changed));
    Must(txn->Commit());
  }
  std::this_thread::sleep_for(Millis(120));
  EXPECT_TRUE(ana.Next().starts_with("denied: ana may no longer read sales.orders.orders_v1: "));
}

TEST(Attended, SoDoesTheEndOfAGrant) {
  TestMesh mesh({}, 200'000);
  mesh.Grant("cat", Millis(2'000));
  Open read(mesh, mesh.CallerOf("cat"));
  EXPECT_EQ(read.Next(), "");
  std::this_thread::sleep_for(Millis(2'010));
  const std::string refused = read.Next();
  EXPECT_NE(refused.find("the grant to cat ended at"), std::string::npos) << refused;
}

TEST(Attended, SoDoesTheEndOfAToken) {
  TestMesh mesh({}, 200'000);
  model::Caller caller = mesh.CallerOf("ben");
  {
    auto txn = Must(mesh.store().Begin());
    caller.token_id = Must(access::CreateToken(*txn, SystemClock(), "ben", "test", false, std::nullopt)).token.id;
    Must(txn->Commit());
  }
  Open read(mesh, caller);
  EXPECT_EQ(read.Next(), "");
  {
    auto txn = Must(mesh.store().Begin());
    Must(access::RevokeToken(*txn, SystemClock(), caller.token_id));
    Must(txn->Commit());
  }
  std::this_thread::sleep_for(Millis(120));
  const std::string refused = read.Next();
  EXPECT_NE(refused.find("the token was revoked"), std::string::npos) << refused;
  EXPECT_EQ(OutcomeOf(mesh), "cut off");
}

TEST(Attended, SoDoesTheEndOfAMembership) {
  TestMesh mesh({}, 200'000);
  Open read(mesh, mesh.CallerOf("ana"));  // Of the group that owns the domain.
  EXPECT_EQ(read.Next(), "");
  {
    auto txn = Must(mesh.store().Begin());
    Must(access::PutGroups(*txn, {{"sellers", {"bo"}}}));
    Must(txn->Commit());
  }
  std::this_thread::sleep_for(Millis(120));
  EXPECT_TRUE(read.Next().starts_with("denied: ana may no longer read sales.orders.orders_v1: "));
  ArrowArrayStream again{};
  EXPECT_EQ(read.prepared->Execute({}, &again).error().code, Code::kDenied);
}

TEST(Attended, SoDoesTheEndOfOwnership) {
  TestMesh mesh({}, 200'000);
  Open read(mesh, mesh.CallerOf("ana"));
  EXPECT_EQ(read.Next(), "");
  {
    auto txn = Must(mesh.store().Begin());
    model::Mesh other = *Must(catalog::MeshOf(*txn));
    other.domains.front().owners = {"bo"};
    Must(catalog::PutMesh(*txn, other));
    Must(txn->Commit());
  }
  std::this_thread::sleep_for(Millis(120));
  EXPECT_TRUE(read.Next().starts_with("denied: ana may no longer read"));
}

TEST(Attended, RowsThatWereMadeAheadAreCutOffToo) {
  TestMesh mesh({}, 200'000);
  {
    Open read(mesh, mesh.CallerOf("ben"));
    EXPECT_EQ(read.Next(), "");
    mesh.Revoke("ben");
    std::this_thread::sleep_for(Millis(120));
    EXPECT_FALSE(read.prepared->MayGoOn());
  }
  EXPECT_EQ(OutcomeOf(mesh), "cut off");
}

TEST(Attended, TheClientsTimeIsNotTheQuerys) {
  Options options;
  options.timeout = Millis(400);
  TestMesh mesh(options, 200'000);
  Open read(mesh, mesh.CallerOf("ben"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(read.Next(), "");
    std::this_thread::sleep_for(Millis(200));
  }
  std::string last;
  while (last.empty()) last = read.Next();
  EXPECT_EQ(last, "end");
}

TEST(Attended, WhoTakesNothingLosesTheirTurn) {
  Options options;
  options.concurrent = 1;
  options.queue_wait = Millis(5'000);
  options.idle_timeout = Millis(300);
  TestMesh mesh(options, 200'000);
  Open held(mesh, mesh.CallerOf("ben"));
  EXPECT_EQ(held.Next(), "");
  Open next(mesh, mesh.CallerOf("ana"));
  EXPECT_EQ(next.Next(), "");
  const std::string ended = held.Next();
  EXPECT_TRUE(ended.starts_with("unavailable: the client took no rows for 0.3 s")) << ended;
  EXPECT_EQ(OutcomeOf(mesh), "cut off");
}

}  // namespace
}  // namespace weft::query
