#include <gtest/gtest.h>

#include <thread>

#include "ports/flight/internal.h"

namespace weft::flight {
namespace {

using std::chrono::milliseconds;

model::Caller CallerOf(const std::string& token, const std::string& peer = "127.0.0.1:1") {
  return {{}, "", "flight", peer, token};
}

TEST(Handles, AreForgottenWhenNobodyUsesThem) {
  Handles handles(milliseconds(200));
  const std::string used = handles.Put(CallerOf("a"), {}).value(), unused = handles.Put(CallerOf("a"), {}).value();
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(milliseconds(50));
    handles.Expire();
    EXPECT_TRUE(handles.Get(CallerOf("a"), used));
  }
  auto gone = handles.Get(CallerOf("a"), unused);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kNotFound);
}

TEST(Handles, AreOfOneTokenAndEndWithTheirConnection) {
  Handles handles(milliseconds(60'000));
  const std::string one = handles.Put(CallerOf("a", "x:1"), {}).value(),
                    other = handles.Put(CallerOf("a", "x:2"), {}).value();
  EXPECT_FALSE(handles.Get(CallerOf("b", "x:1"), one)) << "another's token";
  EXPECT_TRUE(handles.Get(CallerOf("a", "x:2"), one)) << "the same token over another connection";
  handles.CloseAll(CallerOf("a", "x:1"));
  EXPECT_FALSE(handles.Get(CallerOf("a", "x:1"), one));
  EXPECT_TRUE(handles.Get(CallerOf("a", "x:2"), other));
  const std::string once = handles.Put(CallerOf("a"), {.prepared = nullptr, .parameters = {}, .once = true}).value();
  EXPECT_TRUE(handles.Get(CallerOf("a"), once));
  EXPECT_FALSE(handles.Get(CallerOf("a"), once));
}

TEST(Handles, AreBoundedByConnection) {
  Handles handles(milliseconds(60'000));
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(handles.Put(CallerOf("a", "x:1"), {}));
  EXPECT_EQ(handles.Put(CallerOf("a", "x:1"), {}).error().code, Code::kUnavailable);
  EXPECT_TRUE(handles.Put(CallerOf("a", "x:2"), {}));
}

}  // namespace
}  // namespace weft::flight
