#include "apps/weft/backup_commands.h"
#include "apps/weft/command.h"
#include "apps/weft/exchange_commands.h"

namespace weft::app {

std::vector<CommandEntry> AllCommands() {
  std::vector<CommandEntry> all;
  for (auto some :
       {NewFolderCommands(), NewProductCommands(), PublishCommands(), ExchangeCommands(), ExpressionCommands(),
        FindCommands(),      TermCommands(),       ReadCommands(),    RunCommands(),      ScheduleCommands(),
        ShareCommands(),     RequestCommands(),    FollowCommands(),  FeedbackCommands(), GovernCommands(),
        EntityCommands(),    AuditCommands(),      AccountCommands(), OperateCommands(),  BackupCommands(),
        SecretCommands()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace weft::app
