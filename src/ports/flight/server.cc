#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/flight/server.h>
#include <arrow/flight/server_auth.h>
#include <arrow/flight/server_middleware.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/align_util.h>
#include <google/protobuf/any.pb.h>

#include <future>
#include <mutex>
#include <thread>

#include "FlightSql.pb.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "ports/flight/internal.h"

namespace weft::flight {
namespace {

namespace sql = arrow::flight::protocol::sql;
namespace af = arrow::flight;
using google::protobuf::Any;

constexpr Millis kLookForAbandoned{50};
constexpr std::chrono::minutes kLongestOldRead{10};  // Under a certificate that another has replaced.
constexpr Millis kTakeOverPause{20};
constexpr int kTakeOverTries = 100;
constexpr int kParameterMessages = 16;

std::string HeaderOf(const af::CallHeaders& headers, std::string_view name) {
  auto found = headers.find(name);
  return found == headers.end() ? "" : std::string(found->second);
}

// The token of "Bearer TOKEN", or of "Basic …", where it is the password.
std::string TokenOf(const af::CallHeaders& headers) {
  const std::string header = HeaderOf(headers, "authorization");
  const std::string scheme = Lower(header.substr(0, header.find(' ')));
  if (scheme == "bearer") return std::string(Trim(std::string_view(header).substr(6)));
  if (scheme != "basic") return "";
  auto pair = FromBase64(Trim(std::string_view(header).substr(5)));
  return pair && pair->find(':') != pair->npos ? pair->substr(pair->find(':') + 1) : "";
}

// Answers a handshake by user and password with the bearer token for what follows; every call is judged by itself.
class BasicToBearer final : public af::ServerMiddlewareFactory {
 public:
  class Answer final : public af::ServerMiddleware {
   public:
    explicit Answer(std::string token) : token_(std::move(token)) {}
    std::string name() const override { return "bearer"; }
    void SendingHeaders(af::AddCallHeaders* headers) override {
      headers->AddHeader("authorization", "Bearer " + token_);
    }
    void CallCompleted(const arrow::Status&) override {}

   private:
    const std::string token_;
  };

  arrow::Status StartCall(const af::CallInfo&, const af::ServerCallContext& call,
                          std::shared_ptr<af::ServerMiddleware>* out) override {
    const af::CallHeaders& headers = call.incoming_headers();
    if (Lower(HeaderOf(headers, "authorization")).starts_with("basic "))
      *out = std::make_shared<Answer>(TokenOf(headers));
    return arrow::Status::OK();
  }
};

template <class Message>
Result<Message> Unpack(const Any& any) {
  Message message;
  if (!any.UnpackTo(&message)) {
    return Error{Code::kInvalid,
                 "expected the message " + std::string(message.GetTypeName()) + ", and here is " + any.type_url()};
  }
  return message;
}

Result<Any> ParseAny(std::string_view bytes) {
  Any any;
  if (!any.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{Code::kInvalid, "this is no Flight SQL message: this door speaks Flight SQL alone"};
  }
  return any;
}

std::string Packed(const google::protobuf::Message& message) {
  Any any;
  any.PackFrom(message);
  return any.SerializeAsString();
}

Result<std::shared_ptr<arrow::Schema>> SchemaOf(const query::Prepared& prepared) {
  ArrowSchema exported{};
  TRY(prepared.Schema(&exported));
  auto schema = arrow::ImportSchema(&exported);
  if (!schema.ok()) return FromArrow(schema.status());
  return *schema;
}

Result<std::string> Bytes(const std::shared_ptr<arrow::Schema>& schema) {
  auto bytes = arrow::ipc::SerializeSchema(*schema);
  if (!bytes.ok()) return FromArrow(bytes.status());
  return (*bytes)->ToString();
}

class Door final : public af::FlightServerBase {
 public:
  // What is prepared and what runs outlives a door that another replaces.
  Door(Context context, Options options, Handles& handles, Watch& watch)
      : context_(context), options_(std::move(options)), handles_(handles), watch_(watch) {}

  arrow::Status GetFlightInfo(const af::ServerCallContext& call, const af::FlightDescriptor& descriptor,
                              std::unique_ptr<af::FlightInfo>* out) override {
    auto info = Info(call, descriptor);
    if (!info) return ToArrow(info.error());
    *out = info.TakeValue();
    return arrow::Status::OK();
  }

  arrow::Status GetSchema(const af::ServerCallContext& call, const af::FlightDescriptor& descriptor,
                          std::unique_ptr<af::SchemaResult>* out) override {
    auto answer = [&]() -> Result<std::shared_ptr<arrow::Schema>> {
      const model::Caller caller = TRY(Who(call));
      const Any any = TRY(ParseAny(descriptor.cmd));
      if (any.Is<sql::CommandStatementQuery>()) {
        const auto command = TRY(Unpack<sql::CommandStatementQuery>(any));
        return SchemaOf(*TRY(Prepare(call, caller, command.query())));
      }
      if (any.Is<sql::CommandPreparedStatementQuery>()) {
        const auto command = TRY(Unpack<sql::CommandPreparedStatementQuery>(any));
        return SchemaOf(*TRY(handles_.Get(caller, command.prepared_statement_handle())).prepared);
      }
      return TRY(Catalogue(caller, any))->schema();
    }();
    if (!answer) return ToArrow(answer.error());
    return af::SchemaResult::Make(**answer).Value(out);
  }

  arrow::Status DoGet(const af::ServerCallContext& call, const af::Ticket& ticket,
                      std::unique_ptr<af::FlightDataStream>* out) override {
    auto stream = Get(call, ticket);
    if (!stream) return ToArrow(stream.error());
    *out = stream.TakeValue();
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const af::ServerCallContext& call, std::unique_ptr<af::FlightMessageReader> reader,
                      std::unique_ptr<af::FlightMetadataWriter> writer) override {
    auto handle = Put(call, *reader);
    if (!handle) return ToArrow(handle.error());
    sql::DoPutPreparedStatementResult result;
    result.set_prepared_statement_handle(*handle);
    return writer->WriteMetadata(*arrow::Buffer::FromString(result.SerializeAsString()));
  }

  arrow::Status DoAction(const af::ServerCallContext& call, const af::Action& action,
                         std::unique_ptr<af::ResultStream>* out) override {
    auto results = Act(call, action);
    if (!results) return ToArrow(results.error());
    std::vector<af::Result> bodies;
    for (std::string& body : *results) bodies.push_back({arrow::Buffer::FromString(std::move(body))});
    *out = std::make_unique<af::SimpleResultStream>(std::move(bodies));
    return arrow::Status::OK();
  }

  arrow::Status ListActions(const af::ServerCallContext&, std::vector<af::ActionType>* actions) override {
    *actions = {{"CreatePreparedStatement", "Checks and binds a statement; answers its handle and schemas."},
                {"ClosePreparedStatement", "Forgets a handle."},
                {"CloseSession", "Forgets every handle of the token."}};
    return arrow::Status::OK();
  }

 private:
  Result<model::Caller> Who(const af::ServerCallContext& call) {
    const af::CallHeaders& headers = call.incoming_headers();
    std::string peer = ReplaceAll(ReplaceAll(call.peer(), "%5B", "["), "%5D", "]");  // "ipv6:%5B::1%5D:50312"
    if (peer.starts_with("ipv4:") || peer.starts_with("ipv6:")) peer.erase(0, 5);
    return context_.gate.Authenticate(TokenOf(headers), HeaderOf(headers, "x-weft-purpose"), "flight", std::move(peer));
  }

  Result<std::shared_ptr<query::Prepared>> Prepare(const af::ServerCallContext& call, const model::Caller& caller,
                                                   const std::string& text) {
    const std::string at = HeaderOf(call.incoming_headers(), "x-weft-at");
    lake::At when;
    if (!at.empty()) when = TRY(lake::At::Parse(at));
    return std::shared_ptr<query::Prepared>(TRY(context_.query.Prepare(caller, text, when)));
  }

  Result<std::shared_ptr<arrow::Table>> Catalogue(const model::Caller& caller, const Any& any) {
    TRY(context_.gate.Decide(caller, model::Action::kBrowse, {}));
    if (any.Is<sql::CommandStatementUpdate>() || any.Is<sql::CommandPreparedStatementUpdate>()) return NoWriting();
    return Describe(context_, caller, options_.version, any);
  }

  // {"ending": [{"address", "until"}], "deprecated": [{"address", "status", "sunset", "message", "successor",
  // "overdue"}]}: what the reader should know besides the rows; empty: nothing.
  static std::string ToldOf(const query::Prepared& prepared) {
    if (prepared.endings().empty() && prepared.deprecated().empty()) return "";
    Json::Array ending, deprecated;
    for (const auto& each : prepared.endings()) {
      ending.push_back(Json::Map({{"address", each.address}, {"until", each.until.Text()}}));
    }
    for (const auto& each : prepared.deprecated()) {
      deprecated.push_back(
          std::move(each.says.ToJson(SystemClock().Now()).Set("address", each.address).Set("status", each.status)));
    }
    return Json::Map({{"ending", std::move(ending)}, {"deprecated", std::move(deprecated)}}).Dump();
  }

  static Error NoWriting() {
    return {Code::kUnsupported, "nothing is written here: a product's rows come from its build (weft run)"};
  }

  Result<std::unique_ptr<af::FlightInfo>> Info(const af::ServerCallContext& call,
                                               const af::FlightDescriptor& descriptor) {
    const model::Caller caller = TRY(Who(call));
    const Any any = TRY(ParseAny(descriptor.cmd));
    std::shared_ptr<arrow::Schema> schema;
    std::string ticket = descriptor.cmd;
    int64_t rows = -1;
    std::string told;
    if (any.Is<sql::CommandStatementQuery>()) {
      const auto command = TRY(Unpack<sql::CommandStatementQuery>(any));
      auto prepared = TRY(Prepare(call, caller, command.query()));
      schema = TRY(SchemaOf(*prepared));
      told = ToldOf(*prepared);
      sql::TicketStatementQuery statement;
      statement.set_statement_handle(
          TRY(handles_.Put(caller, {.prepared = std::move(prepared), .parameters = {}, .once = true})));
      ticket = Packed(statement);
    } else if (any.Is<sql::CommandPreparedStatementQuery>()) {
      const auto command = TRY(Unpack<sql::CommandPreparedStatementQuery>(any));
      schema = TRY(SchemaOf(*TRY(handles_.Get(caller, command.prepared_statement_handle())).prepared));
    } else {
      auto table = TRY(Catalogue(caller, any));
      schema = table->schema();
      rows = table->num_rows();
    }
    af::FlightEndpoint endpoint;
    endpoint.ticket.ticket = std::move(ticket);
    auto info = af::FlightInfo::Make(*schema, descriptor, {endpoint}, rows, -1, false, told);
    if (!info.ok()) return FromArrow(info.status());
    return std::make_unique<af::FlightInfo>(info.MoveValueUnsafe());
  }

  Result<std::unique_ptr<af::FlightDataStream>> Get(const af::ServerCallContext& call, const af::Ticket& ticket) {
    const model::Caller caller = TRY(Who(call));
    const Any any = TRY(ParseAny(ticket.ticket));
    if (any.Is<sql::TicketStatementQuery>()) {
      const auto statement = TRY(Unpack<sql::TicketStatementQuery>(any));
      return Run(watch_, call, TRY(handles_.Get(caller, statement.statement_handle())));
    }
    if (any.Is<sql::CommandPreparedStatementQuery>()) {
      const auto command = TRY(Unpack<sql::CommandPreparedStatementQuery>(any));
      return Run(watch_, call, TRY(handles_.Get(caller, command.prepared_statement_handle())));
    }
    auto table = TRY(Catalogue(caller, any));
    auto batches = std::make_shared<arrow::TableBatchReader>(table);
    return std::make_unique<af::RecordBatchStream>(std::move(batches));
  }

  // The parameters of a prepared statement, one row of them.
  Result<std::string> Put(const af::ServerCallContext& call, af::FlightMessageReader& reader) {
    const model::Caller caller = TRY(Who(call));
    const Any any = TRY(ParseAny(reader.descriptor().cmd));
    if (!any.Is<sql::CommandPreparedStatementQuery>()) return NoWriting();
    const auto command = TRY(Unpack<sql::CommandPreparedStatementQuery>(any));
    const std::string& id = command.prepared_statement_handle();
    const Handle handle = TRY(handles_.Get(caller, id));
    auto row = TRY(RowOf(reader));
    std::vector<engine::Value> parameters;
    if (row) parameters = TRY(InOrder(handle.prepared->parameters(), *row));
    TRY(handles_.SetParameters(caller, id, std::move(parameters)));
    return id;
  }

  // The one row that a client sends, or null where it sends none. Its offsets and indices may point anywhere, so that
  // they are judged before a value is looked at; a client that goes on sending is stopped.
  static Result<std::shared_ptr<arrow::RecordBatch>> RowOf(af::FlightMessageReader& reader) {
    std::shared_ptr<arrow::RecordBatch> row;
    for (int messages = 0; messages < kParameterMessages; ++messages) {
      auto chunk = reader.Next();
      if (!chunk.ok()) return FromArrow(chunk.status());
      if (!chunk->data && !chunk->app_metadata) return row;
      if (!chunk->data || chunk->data->num_rows() == 0) continue;
      const int64_t rows = chunk->data->num_rows() + (row ? 1 : 0);
      if (rows > 1) {
        return Error{Code::kUnsupported,
                     "a statement takes one row of parameters at a time, and here are " + std::to_string(rows)};
      }
      auto aligned =
          arrow::util::EnsureAlignment(chunk->data, arrow::util::kValueAlignment, arrow::default_memory_pool());
      if (!aligned.ok()) return FromArrow(aligned.status());
      row = aligned.MoveValueUnsafe();
      if (arrow::Status whole = row->ValidateFull(); !whole.ok()) {
        return Error{Code::kInvalid, "the parameters are no Arrow data: " + whole.message()};
      }
    }
    return Error{Code::kInvalid, "the parameters come in more pieces than one row can have"};
  }

  // By name where every column has the name of a parameter, else by position.
  static Result<std::vector<engine::Value>> InOrder(const std::vector<std::string>& names,
                                                    const arrow::RecordBatch& row) {
    std::vector<engine::Value> values;
    const bool by_name = std::all_of(names.begin(), names.end(),
                                     [&](const std::string& name) { return row.schema()->GetFieldIndex(name) >= 0; });
    if (names.size() != static_cast<size_t>(row.num_columns())) {
      return Error{Code::kInvalid, "the statement has " + Count(names.size(), "parameter") +
                                       ", and here are values for " + std::to_string(row.num_columns())};
    }
    for (size_t i = 0; i < names.size(); ++i) {
      values.push_back(ParameterOf(*(by_name ? row.GetColumnByName(names[i]) : row.column(static_cast<int>(i))), 0));
    }
    return values;
  }

  Result<std::vector<std::string>> Act(const af::ServerCallContext& call, const af::Action& action) {
    const model::Caller caller = TRY(Who(call));
    const std::string body = action.body ? action.body->ToString() : "";
    std::vector<std::string> results;
    if (action.type == "CloseSession") {
      handles_.CloseAll(caller);
      sql::CloseSessionResult closed;
      closed.set_status(1);
      results.push_back(closed.SerializeAsString());
      return results;
    }
    const Any any = TRY(ParseAny(body));
    if (action.type == "CreatePreparedStatement") {
      const auto request = TRY(Unpack<sql::ActionCreatePreparedStatementRequest>(any));
      auto prepared = TRY(Prepare(call, caller, request.query()));
      sql::ActionCreatePreparedStatementResult result;
      result.set_dataset_schema(TRY(Bytes(TRY(SchemaOf(*prepared)))));
      arrow::FieldVector parameters;
      for (const std::string& name : prepared->parameters()) parameters.push_back(arrow::field(name, arrow::utf8()));
      result.set_parameter_schema(TRY(Bytes(arrow::schema(parameters))));
      result.set_prepared_statement_handle(TRY(handles_.Put(caller, {.prepared = prepared, .parameters = {}})));
      results.push_back(Packed(result));
      return results;
    }
    if (action.type == "ClosePreparedStatement") {
      const auto request = TRY(Unpack<sql::ActionClosePreparedStatementRequest>(any));
      handles_.Close(caller, request.prepared_statement_handle());
      return results;
    }
    return Error{Code::kUnsupported, "this door does not know the action '" + action.type + "'"};
  }

  const Context context_;
  const Options options_;
  Handles& handles_;
  Watch& watch_;
};

constexpr Rpc kRpcs[] = {
    {"GetFlightInfo, DoGet", "CommandGetCatalogs, …GetDbSchemas, …GetTables, …GetSqlInfo and others of the catalogue",
     model::Action::kBrowse},
    {"GetFlightInfo, GetSchema, DoGet", "CommandStatementQuery", model::Action::kRead},
    {"GetFlightInfo, DoPut, DoGet", "CommandPreparedStatementQuery", model::Action::kRead},
    {"DoAction", "CreatePreparedStatement", model::Action::kRead},
    {"DoAction", "ClosePreparedStatement, CloseSession", model::Action::kBrowse},
    {"ListActions, Handshake", "", model::Action::kOpen},
};

class FlightServer final : public Server {
 public:
  FlightServer(Context context, Options options)
      : context_(context), options_(std::move(options)), handles_(options_.statement_idle) {}
  ~FlightServer() override { Stop(Deadline::After(Millis(1'000))); }

  Status Open() {
    std::string chain, key;
    if (!options_.tls_certificate.empty()) {
      chain = TRY(ReadFile(options_.tls_certificate));
      key = TRY(ReadFile(options_.tls_key));
    }
    door_ = TRY(OpenDoor(chain, key));
    options_.port = door_->port();
    ticker_ = std::make_unique<Ticker>(kLookForAbandoned, [this] {
      watch_.CancelAbandoned();
      handles_.Expire();
    });
    return {};
  }

  int port() const override { return options_.port; }

  Status UseCertificate(const std::string& chain, const std::string& key) override {
    std::lock_guard lock(mutex_);
    if (stopped_) return {};
    std::erase_if(ending_, [](const auto& end) { return end.wait_for(Millis(0)) == std::future_status::ready; });
    if (door_) {
      ending_.push_back(std::async(std::launch::async, [door = std::shared_ptr<Door>(std::move(door_))] {
        End(*door, std::chrono::system_clock::now() + kLongestOldRead);
      }));
    }
    Result<std::unique_ptr<Door>> opened = Error{Code::kUnavailable, ""};
    for (int tries = 0; tries < kTakeOverTries && !opened; ++tries) {
      std::this_thread::sleep_for(kTakeOverPause);
      opened = OpenDoor(chain, key);
    }
    listens_ = opened.has_value();
    door_ = TRY(std::move(opened));
    return {};
  }

  Status Ready() const override {
    if (listens_) return {};
    return Error{Code::kUnavailable,
                 "Flight listens nowhere: the certificate that changed could not be taken yet, and "
                 "the node goes on trying; its log says why"};
  }

  void Stop(Deadline deadline) override {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    ticker_.reset();
    const auto left =
        std::min<std::chrono::nanoseconds>(deadline.at() - std::chrono::steady_clock::now(), std::chrono::hours(1));
    const auto until = std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(left);
    if (left <= std::chrono::nanoseconds(0)) watch_.CancelAll();
    if (door_) End(*door_, until);
    for (std::future<void>& end : ending_) {
      if (end.wait_until(until) != std::future_status::ready) watch_.CancelAll();
    }
    ending_.clear();  // Waits for them.
  }

 private:
  Result<std::unique_ptr<Door>> OpenDoor(const std::string& chain, const std::string& key) {
    auto location = chain.empty() ? af::Location::ForGrpcTcp(options_.address, options_.port)
                                  : af::Location::ForGrpcTls(options_.address, options_.port);
    if (!location.ok()) return FromArrow(location.status());
    af::FlightServerOptions settings(*location);
    if (!chain.empty()) settings.tls_certificates.push_back({chain, key});
    settings.auth_handler = std::make_shared<af::NoOpAuthHandler>();  // Lets a handshake through to the middleware.
    settings.middleware.emplace_back("bearer", std::make_shared<BasicToBearer>());
    auto door = std::make_unique<Door>(context_, options_, handles_, watch_);
    if (arrow::Status opened = door->Init(settings); !opened.ok()) {
      return Error{Code::kUnavailable,
                   "cannot listen for Flight at " + (*location).ToString() + ": " + opened.message()};
    }
    return door;
  }

  static void End(Door& door, std::chrono::system_clock::time_point until) {
    arrow::Status ignored = door.Shutdown(&until);
    ignored = door.Wait();
  }

  const Context context_;
  Options options_;
  Handles handles_;
  Watch watch_;
  std::mutex mutex_;
  std::unique_ptr<Door> door_;
  std::vector<std::future<void>> ending_;  // Doors that were replaced, until their last read has ended.
  std::unique_ptr<Ticker> ticker_;
  bool stopped_ = false;
  std::atomic<bool> listens_ = true;  // False where a door was given up and no other could be opened.
};

}  // namespace

std::span<const Rpc> Rpcs() { return kRpcs; }

Result<std::unique_ptr<Server>> Server::Start(Context context, Options options) {
  auto server = std::make_unique<FlightServer>(context, std::move(options));
  TRY(server->Open());
  return server;
}

}  // namespace weft::flight
