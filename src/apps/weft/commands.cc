#include "apps/weft/command.h"

namespace weft::app {

std::vector<CommandEntry> AllCommands() {
  std::vector<CommandEntry> all;
  for (auto some : {NewProductCommands(), PublishCommands(), NewSchemasCommands(), ExpressionCommands(), FindCommands(),
                    ReadCommands(), RunCommands(), ShareCommands(), RequestCommands(), FollowCommands(), GovernCommands(),
                    EntityCommands(), AuditCommands(), AccountCommands(), OperateCommands(), SecretCommands()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace weft::app
