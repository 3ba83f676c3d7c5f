#include "work/run/queue.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace weft::run {
namespace {

JobPtr JobOf(const std::string& port, const std::string& priority = "normal", const std::string& upstream = "") {
  auto job = std::make_shared<Job>();
  job->run.port = model::PortKey::Parse(port).value();
  job->run.id = port;
  job->priority = priority;
  if (!upstream.empty()) job->upstream.insert(model::PortKey::Parse(upstream).value());
  return job;
}

std::string Begin(Queue& queue) {
  const JobPtr job = queue.Next();
  return job ? job->run.id : "none";
}

TEST(QueueTest, TheMostUrgentFirstElseAsTheyCame) {
  Queue queue(2, 0);
  for (const auto& job :
       {JobOf("a/p/one@1", "low"), JobOf("a/p/two@1"), JobOf("a/p/three@1", "high"), JobOf("a/p/four@1")})
    queue.Add(job);
  EXPECT_EQ(Begin(queue), "a/p/three@1");
  EXPECT_EQ(Begin(queue), "a/p/two@1");
  EXPECT_EQ(Begin(queue), "none");
  EXPECT_EQ(queue.WhyWaits("a/p/one@1")->position, 2);
  EXPECT_TRUE(queue.WhyWaits("a/p/one@1")->node_full);
  EXPECT_FALSE(queue.WhyWaits("a/p/two@1").has_value());
  queue.Remove(queue.Find("a/p/three@1"));
  EXPECT_EQ(Begin(queue), "a/p/four@1");
}

TEST(QueueTest, NoneStarves) {
  Queue queue(1, 0);
  queue.Add(JobOf("a/p/patient@1", "low"));
  int before = 0;
  for (std::string next; next != "a/p/patient@1"; ++before) {
    queue.Add(JobOf("b/p/n" + std::to_string(before) + "@1", "high"));
    const JobPtr job = queue.Next();
    ASSERT_TRUE(job);
    next = job->run.id;
    queue.Remove(job);
    ASSERT_LT(before, 100);
  }
  EXPECT_EQ(before, 11);  // Ten others, and itself.
}

TEST(QueueTest, ADomainHasItsShare) {
  Queue queue(3, 1);
  for (const auto& job : {JobOf("a/p/one@1"), JobOf("a/p/two@1"), JobOf("b/p/one@1")}) queue.Add(job);
  EXPECT_EQ(Begin(queue), "a/p/one@1");
  EXPECT_EQ(Begin(queue), "b/p/one@1");
  EXPECT_EQ(Begin(queue), "none");
  EXPECT_TRUE(queue.WhyWaits("a/p/two@1")->domain_full);
  queue.Remove(queue.Find("a/p/one@1"));
  EXPECT_EQ(Begin(queue), "a/p/two@1");
}

TEST(QueueTest, WhatIsReadComesFirstWhateverItsPriority) {
  Queue queue(4, 0);
  queue.Add(JobOf("a/p/source@1", "low"));
  queue.Add(JobOf("a/p/reader@1", "high", "a/p/source@1"));
  EXPECT_EQ(Begin(queue), "a/p/source@1");
  EXPECT_EQ(Begin(queue), "none");
  const auto waiting = queue.WhyWaits("a/p/reader@1");
  ASSERT_TRUE(waiting && waiting->for_port);
  EXPECT_EQ(waiting->for_port->Text(), "a/p/source@1");
  EXPECT_EQ(waiting->for_run, "a/p/source@1");
  queue.Remove(queue.Find("a/p/source@1"));
  EXPECT_EQ(Begin(queue), "a/p/reader@1");
}

}  // namespace
}  // namespace weft::run
