#include "apps/weft/command.h"

namespace weft::app {

std::vector<CommandEntry> AllCommands() {
  std::vector<CommandEntry> all;
  for (auto some : {NewProductCommands(), PublishCommands(), NewSchemasCommands(), ExpressionCommands(), FindCommands(),
                    ReadCommands(), TermCommands(), RunCommands(), ShareCommands(), RequestCommands(), FollowCommands(),
                    FeedbackCommands(), GovernCommands(), EntityCommands(), AuditCommands(), AccountCommands(),
                    OperateCommands(), SecretCommands()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace weft::app
