// Every policy of the mesh, compiled: what the gate asks before data leaves, and publishing before a product is there.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/access.h"
#include "model/policy/policy.h"
#include "model/policy/purposes.h"
#include "model/repository.h"

namespace weft::model {

struct CompiledPolicy;
struct GateFinding;

// Thread-safe; does not change.
class Policies {
 public:
  struct Bound;

  // kInvalid carries every problem of every file: expressions that do not parse or check, names that stand twice.
  static Result<std::shared_ptr<const Policies>> Compile(std::vector<PolicyFile> files);
  ~Policies();

  const std::vector<PolicyFile>& files() const { return files_; }
  bool empty() const;
  const Purposes& purposes() const { return purposes_; }

  // Makes of a decision by ownership and grants what the policies make of it: allows, denies, restricts. Fails closed:
  // a policy that cannot be asked denies, hides or masks, and does not allow. Reads need resource.contract.
  void Decide(const Principal& principal, Action action, const Resource& resource, const std::string& purpose,
              Instant now, Decision* decision) const;

  // Whoever says what for may not read what is for something that excludes it: follows Decide, and needs no contract.
  void DenyIncompatible(const Resource& resource, const std::string& purpose, Decision* decision) const;

  // Who must agree before `principal` is given access, by every policy that says something about it. A policy that
  // cannot be asked applies if it has steps. Nobody's word: the owners'.
  Chain ApprovalOf(const Principal& principal, const Resource& resource, const std::string& purpose, Instant now) const;

  // Whether what is said about this port can be done with its columns: masks fit their types, filters' columns are
  // there and can be asked where the data is. Told at the policies' places.
  std::vector<Problem> Judge(const Resource& resource) const;

  // What the policies restrict of a port and no longer of its next version, because what they name (a tag, a
  // classification) is not there any more: "the policy 'people' (policies/a.yaml:3) no longer masks mail".
  std::vector<std::string> Loosened(const Resource& before, const Resource& after) const;

  // What a product must be to be published, and is not. `previous`: the version before, or null.
  // `team`: the domain's.
  std::vector<Problem> JudgeBundle(const Bundle& bundle, const Bundle* previous, const Team& team) const;

  // The files' own tests, each that fails as a problem. `ports` by their short addresses with major: all of the mesh,
  // or (`some`) those that are at hand: a test of another one is then told, and no error.
  std::vector<Problem> RunTests(const std::map<std::string, Resource>& ports, bool some = false) const;

 private:
  struct Compiled;
  Policies();
  std::shared_ptr<const Bound> BoundTo(const Resource& resource) const;
  const std::vector<CompiledPolicy>& All() const;
  std::vector<GateFinding> AskGates(const Bundle& bundle, const Bundle* previous, const Team& team) const;
  Result<std::string> GateFault(const GateTest& test) const;

  void JudgePurposes(std::vector<Problem>* problems);

  std::vector<PolicyFile> files_;
  Purposes purposes_;
  std::unique_ptr<Compiled> compiled_;
};

// Groups that policies speak of and the mesh has not: of these nobody would be restricted, or asked.
std::vector<Problem> JudgeHolders(const std::vector<PolicyFile>& files, const Mesh& mesh);

// A folder by its own policies alone: that they compile and fit its ports, that its products keep them, and their
// tests. Without mesh.yaml their groups are not judged, and without products no test of a port is run.
std::vector<Problem> JudgeByPolicies(const Repository& repository);

}  // namespace weft::model
