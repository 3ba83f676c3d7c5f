// What somebody may know of: the one place that says for whom a draft is.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "model/access.h"
#include "model/address.h"

namespace weft::model {

// Of a port: its contract's, else its product's; of a product that is a draft every port is one.
std::string PortStatus(const std::string& product, const std::string& contract);

// Everything is for every principal, drafts aside: they are for the team of their product and of its domain, for the
// product itself, for those who were granted them, and for those who govern, audit or administer the mesh. For others
// there is no such thing. A value, of the moment that it was asked for.
class Sight {
 public:
  // Of what this program does by itself: the caller decides, or was decided about.
  static const Sight& Everything();
  // By the roles that the principal has in the mesh and by what it is; the rest is to be added.
  explicit Sight(const Principal& principal);

  void AddTeam(const std::string& domain, const std::string& product) { teams_.emplace(domain, product); }
  void AddGrant(const PortKey& port) { ports_.insert(port); }

  // `what` with an empty port is the product. The status: of the port or of the product, in the version in question.
  bool Sees(const PortKey& what, std::string_view status) const { return status != "draft" || SeesDrafts(what); }
  // Whether they see what is a draft there; a grant on a port shows its product too.
  bool SeesDrafts(const PortKey& what) const;

  bool all() const { return all_; }
  // Where all drafts are seen: (domain, product), of a whole domain with an empty product.
  const std::set<std::pair<std::string, std::string>>& teams() const { return teams_; }
  const std::set<PortKey>& ports() const { return ports_; }  // Granted.

 private:
  Sight() = default;

  bool all_ = false;
  std::set<std::pair<std::string, std::string>> teams_;
  std::set<PortKey> ports_;
};

}  // namespace weft::model
