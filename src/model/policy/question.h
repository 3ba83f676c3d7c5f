// One question to the policies, as the values that their expressions name.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "model/access.h"
#include "model/cel/program.h"

namespace weft::model {

// What a `when` and a `filter` may name. The order is that of their bindings.
enum Variable : size_t { kPrincipal, kResource, kAction, kPurpose, kNow };
const cel::Environment& DecisionVariables();

// Whether it is one; its name may be written with a dot before it, which says that it is no macro's.
bool IsVariable(const cel::Expr& expr, std::string_view variable);

// What such variables hold.
cel::Value Texts(const std::vector<std::string>& texts);
cel::Value Record(std::initializer_list<std::pair<const char*, cel::Value>> fields);

// Which of them an expression names, and of the principal which parts: only these are made for it.
struct Named {
  bool name = false, kind = false, groups = false;  // Of the principal.
  bool attributes = false;                          // All that it has; else
  std::vector<std::string> of_attributes;           // these, in order.
  bool resource = false, action = false, purpose = false, now = false;

  static Named By(const cel::Expr& expr);
  bool principal() const { return name || kind || groups || attributes || !of_attributes.empty(); }
  bool Covers(const Named& other) const;
  void Add(const Named& other);
};

// Of one thread. What it refers to must outlive it.
class Question {
 public:
  Question(const Principal& principal, Action action, const Resource& resource, const std::string& purpose, Instant now)
      : principal_(principal), action_(action), resource_(resource), purpose_(purpose), now_(now) {}

  bool approving() const { return action_ == Action::kRequest; }
  const Principal& principal() const { return principal_; }
  const std::string& purpose() const { return purpose_; }

  // With values for at least what is named; made once, by the first who names it.
  const cel::Bindings& Bind(const Named& named);
  // With values for what is named and for nothing else.
  cel::Bindings BindOnly(const Named& named) const;
  // Writes what is named of the principal and the purpose: two questions that give the same bind the same.
  void AddTo(std::string* key, const Named& named) const;

 private:
  cel::Value PrincipalValue(const Named& named) const;
  cel::Value Make(Variable variable, const Named& named) const;

  const Principal& principal_;
  const Action action_;
  const Resource& resource_;
  const std::string& purpose_;
  const Instant now_;
  cel::Bindings bindings_;
  Named made_;
};

}  // namespace weft::model
