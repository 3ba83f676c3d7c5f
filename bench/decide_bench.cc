// How long one decision takes among 10,000 policies, 10,000 principals and 1,000 output ports: by the policies alone,
// and whole, with grants and the store. With a folder as its argument it writes the same questions and some answers
// there, for peers.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "base/text.h"
#include "model/contract.h"
#include "model/policy/restriction.h"
#include "state/access/access.h"

namespace {

using namespace weft;
using Steady = std::chrono::steady_clock;

constexpr int kPolicies = 10'000, kPrincipals = 10'000, kPorts = 1'000;
constexpr int kDomains = 50, kGroups = 400, kTags = 300, kColumnTags = 100, kColumns = 20, kPurposes = 20;
constexpr int kQuestions = 50'000, kSample = 2'000;
constexpr double kTargetMicros = 10;
constexpr const char* kClasses[] = {"public", "internal", "confidential", "restricted"};
constexpr const char* kMasks[] = {"show-first-4", "show-last-4", "mask-alphanum", "sha-256-global",
                                  "mask-to-fixed-value"};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "decide_bench: %s\n", what.c_str());
  std::exit(1);
}
template <class T>
T Must(Result<T> result) {
  if (!result) Fail(result.error().message);
  return result.TakeValue();
}
void Must(Status status) {
  if (!status) Fail(status.error().message);
}

struct World {
  std::string policies = "policies:\n";
  Json rules = Json::Object();  // The same for a peer: by what they are about, then by group ("*": everybody).
  std::vector<model::Resource> ports;
  std::vector<Json> port_columns;  // Column tag → columns.
  std::vector<model::Principal> principals;
};

std::string Contract(int port, std::mt19937& random, Json* by_tag) {
  std::string text = fmt::format(
      "apiVersion: v3.2.0\nkind: DataContract\nid: c{}\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    "
      "properties:\n      - {{name: country, logicalType: string}}\n",
      port);
  std::map<std::string, Json::Array> tags;
  for (int c = 0; c < kColumns; ++c) {
    const std::string tag = fmt::format("k{}", random() % kColumnTags);
    text += fmt::format("      - {{name: c{}, logicalType: string, tags: [{}]}}\n", c, tag);
    tags[tag].push_back(fmt::format("c{}", c));
  }
  for (auto& [tag, columns] : tags) by_tag->Set(tag, std::move(columns));
  return text;
}

// What a port is about, as the policies' scopes name it.
std::vector<std::string> KeysOf(const model::Resource& port) {
  std::vector<std::string> keys = {"d:" + port.domain, "p:" + port.domain + "/" + port.product,
                                   "c:" + port.domain + ":" + port.classification};
  for (const std::string& tag : port.tags) keys.push_back("t:" + tag);
  return keys;
}

void MakePorts(World* world, std::mt19937& random) {
  for (int i = 0; i < kPorts; ++i) {
    model::Resource port;
    port.domain = fmt::format("d{}", i % kDomains);
    port.product = port.port = fmt::format("p{}", i);
    port.major = 1;
    port.owners = {"group:owners-of-" + port.domain};
    port.classification = kClasses[random() % 4];
    for (int t = 0; t < 3; ++t) port.tags.push_back(fmt::format("t{}", random() % kTags));
    port.status = "active";
    port.version = fmt::format("{}@1 as it is registered", port.port);
    Json by_tag = Json::Object();
    port.contract = std::make_shared<const model::Contract>(
        Must(model::Contract::Parse(Contract(i, random, &by_tag), fmt::format("c{}.odcs.yaml", i))));
    world->ports.push_back(std::move(port));
    world->port_columns.push_back(std::move(by_tag));
  }
}

void MakePolicies(World* world, std::mt19937& random) {
  std::map<std::string, std::map<std::string, Json::Array>> rules;
  for (int i = 0; i < kPolicies; ++i) {
    const std::string domain = fmt::format("d{}", random() % kDomains), tag = fmt::format("t{}", random() % kTags);
    const int about = static_cast<int>(random() % 4);
    const int product = static_cast<int>(random() % kPorts);
    const std::string klass = kClasses[random() % 4];
    const std::string path = fmt::format("d{}/p{}", product % kDomains, product);
    const std::string scopes[] = {"domains: [" + domain + "]", "tags: [" + tag + "]", "products: [" + path + "]",
                                  "domains: [" + domain + "], classifications: [" + klass + "]"};
    const std::string keys[] = {"d:" + domain, "t:" + tag, "p:" + path, "c:" + domain + ":" + klass};
    const std::string group = random() % 10 == 0 ? "*" : fmt::format("g{}", random() % kGroups);
    const std::string purpose = fmt::format("u{}", random() % kPurposes);
    Json rule = Json::Map({{"name", fmt::format("r{}", i)}});
    std::string text = fmt::format("  - name: r{}\n", i);
    if (group != "*") text += fmt::format("    principals: [\"group:{}\"]\n", group);
    std::string scope = scopes[about];
    switch (random() % 10) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const std::string column_tag = fmt::format("k{}", random() % kColumnTags);
        const size_t mask = random() % std::size(kMasks);
        scope += fmt::format(", columns: {{tags: [{}]}}", column_tag);
        text += fmt::format("    mask: {}\n", kMasks[mask]);
        rule.Set("effect", "mask").Set("columns", column_tag).Set("mask", static_cast<int64_t>(mask));
        break;
      }
      case 4:
      case 5:
      case 6:
        text += "    filter: row.country in principal.attributes.countries\n";
        rule.Set("effect", "filter");
        break;
      case 7:
      case 8:
        text += fmt::format("    when: purpose == \"{}\"\n    deny: [read]\n", purpose);
        rule.Set("effect", "deny").Set("purpose", purpose);
        break;
      default:
        text += fmt::format("    when: purpose == \"{}\"\n    allow: [read]\n", purpose);
        rule.Set("effect", "allow").Set("purpose", purpose);
    }
    world->policies += text + "    scope: {" + scope + "}\n";
    rules[keys[about]][group].push_back(std::move(rule));
  }
  for (auto& [key, groups] : rules) {
    Json by_group = Json::Object();
    for (auto& [group, list] : groups) by_group.Set(group, std::move(list));
    world->rules.Set(key, std::move(by_group));
  }
}

World Make() {
  std::mt19937 random(7);
  World world;
  MakePorts(&world, random);
  MakePolicies(&world, random);
  for (int i = 0; i < kPrincipals; ++i) {
    model::Principal principal;
    principal.name = fmt::format("person-{}", i);
    for (int g = 0; g < 3; ++g) principal.groups.push_back(fmt::format("g{}", random() % kGroups));
    principal.attributes = Json::Map({{"countries", std::vector{fmt::format("C{}", i % 20), std::string("DE")}}});
    world.principals.push_back(std::move(principal));
  }
  return world;
}

struct Question {
  const model::Principal* principal;
  size_t port;
  std::string purpose;
};

std::vector<Question> Questions(const World& world) {
  std::mt19937 random(11);
  std::vector<Question> questions;
  for (int i = 0; i < kQuestions; ++i) {
    const auto* principal = &world.principals[random() % kPrincipals];
    const size_t port = random() % kPorts;
    questions.push_back({principal, port, fmt::format("u{}", random() % kPurposes)});
  }
  return questions;
}

void Tell(const std::string& name, std::vector<double>* micros, double seconds) {
  std::ranges::sort(*micros);
  const auto at = [&](double share) {
    return (*micros)[static_cast<size_t>(share * static_cast<double>(micros->size() - 1))];
  };
  fmt::print("decide.{0}.p50 us {1:.3g}\ndecide.{0}.p99 us {2:.3g}\ndecide.{0}.rate 1/s {3:.6g}\n", name, at(0.5),
             at(0.99), static_cast<double>(micros->size()) / seconds);
}

// Each question twice: the first time binds its port, and is not what is measured.
template <class Ask>
void Measure(const std::string& name, const std::vector<Question>& questions, Ask ask) {
  for (size_t i = 0; i < questions.size() / 10; ++i) ask(questions[i]);
  std::vector<double> micros;
  micros.reserve(questions.size());
  const auto began = Steady::now();
  for (const Question& question : questions) {
    const auto asked = Steady::now();
    ask(question);
    micros.push_back(std::chrono::duration<double, std::micro>(Steady::now() - asked).count());
  }
  Tell(name, &micros, std::chrono::duration<double>(Steady::now() - began).count());
}

// The decision as a peer would give it: names of policies, and the strongest mask of each column.
Json AnswerOf(const model::Decision& decision) {
  Json::Array denies, allows, filters;
  Json masks = Json::Object();
  for (const model::AppliedPolicy& policy : decision.policies) {
    if (policy.policy->effect == "deny") denies.push_back(policy.policy->name);
    if (policy.policy->effect == "allow") allows.push_back(policy.policy->name);
    if (policy.policy->effect == "filter") filters.push_back(policy.policy->name);
  }
  if (decision.restriction) {
    for (const auto& [column, mask] : decision.restriction->masks) {
      const auto* at = std::ranges::find(kMasks, model::MaskActionName(mask.action));
      masks.Set(column, static_cast<int64_t>(at - std::begin(kMasks)));
    }
  }
  return Json::Map({{"deny", denies}, {"allow", allows}, {"filter", filters}, {"mask", std::move(masks)}});
}

void Export(const std::string& folder, const World& world, const std::vector<Question>& questions,
            const model::Policies& policies) {
  Json columns = Json::Object();
  for (size_t i = 0; i < world.ports.size(); ++i) columns.Set(world.ports[i].port, world.port_columns[i]);
  Must(WriteFileAtomically(folder + "/data.json",
                           Json::Map({{"rules", world.rules}, {"columns", std::move(columns)}}).Dump()));
  std::string text;
  for (int i = 0; i < kSample; ++i) {
    const Question& question = questions[static_cast<size_t>(i)];
    const model::Resource& port = world.ports[question.port];
    model::Decision decision;
    decision.permitted = true;
    policies.Decide(*question.principal, model::Action::kRead, port, question.purpose, Instant{}, &decision);
    std::vector<std::string> groups = question.principal->groups;
    groups.push_back("*");
    const Json line = Json::Map(
        {{"input",
          Json::Map({{"groups", groups}, {"keys", KeysOf(port)}, {"port", port.port}, {"purpose", question.purpose}})},
         {"answer", AnswerOf(decision)}});
    text += line.Dump() + "\n";
  }
  Must(WriteFileAtomically(folder + "/questions.jsonl", text));
}

// Masks of a port with 1,000 columns, decided anew: bound, asked and made into SQL.
void WidePort() {
  std::string text =
      "apiVersion: v3.2.0\nkind: DataContract\nid: wide\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n    "
      "properties:\n";
  for (int c = 0; c < 1'000; ++c) text += fmt::format("      - {{name: c{}, logicalType: string, tags: [pii]}}\n", c);
  auto file = Must(model::PolicyFile::Parse(
      "policies:\n  - name: all\n    scope: {columns: {tags: [pii]}}\n    mask: mask-alphanum\n", "policies/w.yaml"));
  const auto policies = Must(model::Policies::Compile({std::move(file)}));
  model::Resource port;
  port.domain = port.product = port.port = "wide";
  port.major = 1;
  port.version = "wide@1 as it is registered";
  port.contract = std::make_shared<const model::Contract>(Must(model::Contract::Parse(text, "wide.odcs.yaml")));
  model::Principal principal;
  principal.name = "ana";
  std::vector<double> micros;
  const auto all = Steady::now();
  for (int i = 0; i < 1'000; ++i) {
    const auto began = Steady::now();
    model::Decision decision;
    decision.permitted = true;
    policies->Decide(principal, model::Action::kRead, port, "", Instant{}, &decision);
    micros.push_back(std::chrono::duration<double, std::micro>(Steady::now() - began).count());
    if (!decision.restriction || decision.restriction->masks.size() != 1'000) Fail("not every column is masked");
  }
  Tell("1000_masks", &micros, std::chrono::duration<double>(Steady::now() - all).count());
  fmt::print("decide.1000_masks.target us 1000\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const World world = Make();
  const std::vector<Question> questions = Questions(world);
  auto file = Must(model::PolicyFile::Parse(world.policies, "policies/all.yaml"));
  const auto compiling = Steady::now();
  const auto policies = Must(model::Policies::Compile({file}));
  fmt::print("decide.compile s {:.3g}\n", std::chrono::duration<double>(Steady::now() - compiling).count());
  const auto binding = Steady::now();
  for (const model::Resource& port : world.ports) {
    model::Decision decision;
    policies->Decide(world.principals[0], model::Action::kRead, port, "", Instant{}, &decision);
  }
  fmt::print("decide.bind_a_port us {:.4g}\n",
             std::chrono::duration<double, std::micro>(Steady::now() - binding).count() / kPorts);
  if (argc > 1) {
    Export(argv[1], world, questions, *policies);
  }
  Measure("policies", questions, [&](const Question& question) {
    model::Decision decision;
    decision.permitted = true;
    policies->Decide(*question.principal, model::Action::kRead, world.ports[question.port], question.purpose, Instant{},
                     &decision);
  });

  std::string folder = (std::filesystem::temp_directory_path() / "weft-decide-XXXXXX").string();
  if (!::mkdtemp(folder.data())) Fail("mkdtemp");
  {
    auto store = Must(store::Open("sqlite:" + folder + "/store.db"));
    Must(store::Migrate(*store, access::Migrations()));
    {
      auto txn = Must(store->Begin());
      Must(access::PutPolicies(*txn, SystemClock(), {file}, "admin"));
      for (int i = 0; i < 3 * kPrincipals; ++i) {
        const model::Resource& port = world.ports[static_cast<size_t>(i * 7) % kPorts];
        access::Grant grant;
        grant.principal = world.principals[static_cast<size_t>(i) % kPrincipals].name;
        grant.port = {port.domain, port.product, port.port, 1};
        grant.granted_by = "admin";
        Must(access::PutGrant(*txn, SystemClock(), grant, port));
      }
      Must(txn->Commit());
    }
    auto ask = [&](store::Txn& txn, const Question& question) {
      Must(access::Decide(txn, SystemClock(), *question.principal, model::Action::kRead, world.ports[question.port],
                          question.purpose));
    };
    Measure("whole", questions, [&](const Question& question) {
      auto txn = Must(store->Read());
      ask(*txn, question);
    });
    auto txn = Must(store->Read());
    Measure("in_a_transaction", questions, [&](const Question& question) { ask(*txn, question); });
  }
  std::filesystem::remove_all(folder);
  fmt::print("decide.target us {}\n", kTargetMicros);
  WidePort();
  return 0;
}
