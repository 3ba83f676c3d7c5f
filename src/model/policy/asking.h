// How one question is decided: each rule that is about it is asked, and what they say is gathered.
#pragma once

#include <vector>

#include "model/policy/bound.h"

namespace weft::model {

class Asking {
 public:
  Asking(const Principal& principal, Action action, const Resource& resource, const std::string& purpose, Instant now)
      : question_(principal, action, resource, purpose, now) {}

  // Every rule about the principal, in their order.
  void AskAll(const Policies::Bound& bound, const Purposes& purposes);

  // Of every policy that applies.
  const std::vector<AppliedPolicy>& notes() const { return notes_; }
  std::vector<AppliedPolicy> TakeNotes() { return std::move(notes_); }
  const Policy* allowed() const { return allowed_; }  // The first that allows; null: none.
  const std::vector<const Policy*>& denials() const { return denials_; }
  const std::vector<const Policy*>& approvals() const { return approvals_; }
  Restriction TakeRestriction() { return std::move(restriction_); }

 private:
  void Ask(const BoundRule& rule, const Purposes& purposes);
  bool Meant(const Policy& policy, const Purposes& purposes) const;
  bool Applies(const CompiledPolicy& compiled, std::shared_ptr<const std::string>* failed);
  void Filter(const BoundRule& rule);
  void Mask(const BoundRule& rule);

  Question question_;
  const Policy* allowed_ = nullptr;
  std::vector<const Policy*> denials_;
  std::vector<const Policy*> approvals_;
  std::vector<std::pair<const RowFilter*, std::shared_ptr<const RowFilter::Left>>> left_;  // That were asked already.
  Restriction restriction_;
  std::vector<AppliedPolicy> notes_;
};

}  // namespace weft::model
