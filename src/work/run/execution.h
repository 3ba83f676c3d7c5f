// One run from its inputs to its snapshot: whatever happens, it ends in a run row and a row of the ledger.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <stop_token>

#include "base/threads.h"
#include "drivers/engine/ready.h"
#include "state/catalog/catalog.h"
#include "work/run/build.h"
#include "work/run/divert.h"
#include "work/run/modes.h"
#include "work/run/remote.h"
#include "work/run/resolve.h"
#include "work/run/run.h"
#include "work/run/tables.h"

namespace weft::run {

// What others may see of a run and do to it while it lives. Thread-safe.
class Live {
 public:
  void Enter(const std::string& step, engine::Connection* connection);
  void Leave();  // The connection is about to go.
  void Overlay(runs::Run& run) const;
  std::stop_source& stop() { return stop_; }
  void StopWithNode();  // Its node ends: what nobody started by hand is to be made good.
  bool StoppedWithNode() const;
  void StopForTime();  // It took longer than it may.
  bool OutOfTime() const;

 private:
  mutable std::mutex mutex_;
  std::string step_;
  engine::Connection* connection_ = nullptr;
  bool with_node_ = false, for_time_ = false;
  std::stop_source stop_;
};

class Execution {
 public:
  // How it was asked for: `force`, also where nothing changed; `whole`, reading again what is read only where it is
  // new.
  struct Wish {
    bool force = false;
    bool whole = false;
  };
  Execution(Context& context, BuildJudge& judge, engine::Ready& engines, runs::Run run, const Wish& wish,
            std::string purpose, Live& live)
      : context_(context),
        judge_(judge),
        engines_(engines),
        run_(std::move(run)),
        wish_(wish),
        purpose_(std::move(purpose)),
        live_(live),
        landing_(context.options, run_.id),
        remote_(context.options, run_.id) {}

  // Runs to the end. The row that it returns is what the store has, unless the store itself failed.
  runs::Run Run();
  runs::Run Run(const Correction& correction);
  // Ends without having begun: cancelled, or because of what it waited for.
  runs::Run EndEarly(const std::string& status, const std::string& message);
  bool recorded() const { return recorded_; }  // Whether the store knows of the end.

 private:
  struct Session;  // The engine's things, in the order in which they must go.

  Status Work();
  Status Resolve();
  // Fixes what these inputs and the foreign keys' targets are, as the port may read them: the files of its folder.
  Result<std::vector<model::DataFile>> Pin(store::Txn& txn, const std::set<std::string>& names);
  // Their bytes to where the engine reads; `output`: where no SQL stands between, the rows' types.
  Status Fetch(const std::vector<model::DataFile>& uploads, const model::TableSchema* output);
  void NoteInputs();
  Status Load(store::Txn& txn);
  Status LoadContract(store::Txn& txn);
  Status CheckMode() const;
  Status CheckPieces() const;
  Status PutPositions(store::Txn& txn) const;  // How far its inputs are read with it.
  std::string Outcome() const;
  Status OpenEngine(Session& session);
  Result<bool> Skips(const std::string& build_sql, bool uses_now);
  Result<std::optional<runs::Run>> Before(store::Txn& txn, bool uses_now) const;
  Status Hold(store::Txn& txn, const runs::Run& withdrawn);  // Ends the transaction.
  Status Furnish(Session& session);
  Status MakeViews(Session& session);
  Status Stage(Session& session);
  Status Write(Session& session);
  std::vector<std::string> Readable(const Session& session) const;  // The files that the engine needs.
  // What the port's runs set aside, where its contract asks for it: aside.cc.
  Status LoadAside(store::Txn& txn);
  // Tries again without the rows that break the contract. False: there are none such, or they cannot be told apart.
  Result<bool> SetAside(std::unique_ptr<Session>& session, CheckAnswer& answer);
  Result<Diverted> Divide(Session& session);
  Status StageAside(Session& session);
  Status WriteAside(Session& session, const Diverted& diverted);
  Status ClearAside(Session& session);  // Of mode replace, what the run before has set aside.
  Status PrepareAside(Session& session);
  Status CommitAside(store::Txn& txn, Session& session, Json* detail);
  // What is made of the quarantine's rows by somebody: correct.cc.
  Status Correct();
  Status GiveUp(Session& session);
  Status Resubmit(Session& session);
  Status ReadCorrected(Session& session);
  Result<CheckAnswer> PutCorrected(Session& session);
  const std::string& Mode() const;  // How the run's rows meet the table's.
  bool Stays() const { return Mode() != "replace" && !run_.restores; }
  std::string TooMany(const Diverted& diverted) const;
  bool OnlyNew() const;
  std::string ToldAside(const Diverted& diverted) const;
  Result<std::string> TableSql(const std::string& target) const;  // Of what a foreign key points at.
  Result<std::set<std::string>> Held(const lake::Snapshot& snapshot);
  Result<CheckAnswer> Check(Session& session);
  Status Publish(Session& session);
  Status Leave(Session& session);
  Status Restore();
  Status PinKeys(Session& session);
  Status Republish(Session& session, const lake::View& former);
  Status Refuse(const CheckAnswer& answer);
  void Lineage(Session& session, std::map<std::string, std::string>* stubs);
  // `columns`: of every input, by its name in SQL, as "id BIGINT, name VARCHAR".
  Status BeginReads(const std::string& sql, const std::map<std::string, std::string>& columns);
  Status EndReads(store::Txn& txn, const std::string& outcome, const std::string& why);
  Status Record(store::Txn& txn, const std::string& kind, Json detail);
  runs::Run End(const Error& error);
  Status Stopped() const;
  std::string Told(const std::string& error) const;
  std::string TimeoutText() const;

  Context& context_;
  BuildJudge& judge_;
  engine::Ready& engines_;
  runs::Run run_;
  const Wish wish_;
  const std::string purpose_;
  Live& live_;
  catalog::Port port_;
  std::shared_ptr<const model::Entities> entities_;  // Shared with nobody who changes it.
  model::Build build_;
  Judged judged_;
  model::TableSchema schema_;
  std::optional<Filled> filled_;
  Met met_;
  std::unique_ptr<Ticker> timer_;  // Of a build that may not take any time.
  Landing landing_;
  Remote remote_;
  std::vector<Pinned> pinned_;
  Targets targets_;
  std::vector<lineage::ColumnEdge> columns_;
  std::string lineage_note_;  // Why the columns' lineage is coarse.
  std::vector<runs::CheckResult> checks_;
  std::optional<model::QuarantineTerms> terms_;  // None: rows that break the contract refuse the run.
  model::TableSchema aside_schema_;
  bool aside_filled_ = false;  // Whether there are rows already.
  std::optional<Diverted> diverted_;
  const Correction* correction_ = nullptr;  // Of a run that is one.
  std::vector<ledger::Entry> reads_;        // Of other ports, that have begun.
  bool recorded_ = true;
};

// An engine as every run gets one: within the options' memory and threads, with a folder of its own to spill to.
Result<std::unique_ptr<engine::Instance>> OpenFor(const Context& context);

// Writes the run's end, takes its right to write, and plans what its port's schedule asks for next.
Status Close(store::Txn& txn, Clock& clock, const runs::Run& run);

// The build of a port: what it says, or nothing where its rows do not come from a build.
std::optional<model::Build> BuildOf(const model::Bundle& bundle, const model::OutputPort& port);

}  // namespace weft::run
