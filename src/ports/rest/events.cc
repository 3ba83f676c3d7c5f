// What happens, for those who follow it: as JSON, as server-sent events, as an Atom feed, and to webhooks.
#include "work/notify/events.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "work/notify/webhooks.h"

namespace weft::rest {
namespace {

constexpr int kAgainMillis = 1'000;  // After so long a reader of server-sent events comes back.
constexpr int64_t kMostEvents = 500;
constexpr int kFeedEvents = 50;

std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
      out += c;
  }
  return out;
}

// The short form of what is there by this name; "" is all of the mesh.
Result<std::string> PlaceOf(const Api& api, store::Txn& txn, const Caller& caller, const std::string& text) {
  if (text.empty()) return std::string();
  TRY(ResourceAt(api, txn, caller, text));
  return TRY(AddressOf(txn, text)).Short();
}

std::vector<std::string> Listed(const std::string& text) {
  return text.empty() ? std::vector<std::string>() : Split(text, ',');
}

// What the query asks to hear of: an address and topics, or what the caller subscribed to.
Result<std::vector<notify::Interest>> InterestsOf(const Api& api, store::Txn& txn, const Caller& caller,
                                                  const http::Request& request) {
  const std::string mine = request.Query("mine");
  if (!mine.empty()) TRY(OneOf("mine", mine, {"true", "false"}));
  const std::vector<std::string> topics = TRY(notify::CheckTopics(Listed(request.Query("topics"))));
  if (mine != "true")
    return std::vector<notify::Interest>{{TRY(PlaceOf(api, txn, caller, request.Query("address"))), topics}};
  std::vector<notify::Interest> interests;
  for (subscriptions::Subscription& each : TRY(subscriptions::List(txn, caller.principal.name))) {
    std::erase_if(each.topics,
                  [&](const std::string& topic) { return std::ranges::find(topics, topic) == topics.end(); });
    interests.push_back({std::move(each.address), std::move(each.topics)});
  }
  return interests;
}

// Each row of the ledger that was looked at is behind a reader who has come to `next`.
http::Response EventStream(const notify::Stretch& stretch, const std::string& mesh) {
  std::string text = fmt::format("retry: {}\n\n", kAgainMillis);
  for (const notify::Event& event : stretch.events) {
    text += fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.row, event.type, event.ToCloudEvent(mesh).Dump());
  }
  text += fmt::format("id: {}\n\n", stretch.next);
  http::Response response = http::Response::Text(std::move(text));
  response.content_type = "text/event-stream";
  response.headers["Cache-Control"] = "no-store";
  return response;
}

Json SubscriptionJson(const subscriptions::Subscription& subscription) {
  const bool calls = !subscription.webhook.empty();
  const bool waits = calls && subscription.failures > 0 && subscription.state == "active";
  return Json::Map({{"id", subscription.id},
                    {"address", subscription.address},
                    {"topics", subscription.topics},
                    {"webhook", OptionalText(subscription.webhook)},
                    {"made_at", subscription.made_at.Text()},
                    {"state", subscription.state},
                    {"failures", subscription.failures},
                    {"next_at", waits ? Json(subscription.next_at.Text()) : Json()},
                    {"why", subscription.why}});
}

}  // namespace

// A stream holds neither a thread nor a connection: it tells what there is and ends, and its reader comes back with the
// last id. So every answer is decided by what holds when it is given.
Answer Events(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "topics", "mine", "after", "limit"}));
  const bool stream = request.Header("accept").find("text/event-stream") != std::string::npos;
  http::Request asked = request;
  if (!request.Header("last-event-id").empty()) asked.query["after"] = request.Header("last-event-id");
  auto txn = TRY(api.store.Read());
  const std::vector<notify::Interest> interests = TRY(InterestsOf(api, *txn, caller, request));
  notify::Wanted wanted;
  wanted.limit = static_cast<size_t>(TRY(QueryInt(asked, "limit", 100, 1, kMostEvents)));
  const int64_t head = TRY(notify::Head(*txn));
  wanted.after = TRY(QueryInt(asked, "after", head, 0, INT64_MAX));
  const std::string mesh = TRY(catalog::MeshId(*txn));
  const notify::Stretch stretch = TRY(notify::Read(*txn, api.clock, caller.principal, interests, wanted));
  if (stream) return EventStream(stretch, mesh);
  Json::Array events;
  for (const notify::Event& event : stretch.events) {
    events.push_back(Json::Map({{"row", event.row},
                                {"at", event.at.Text()},
                                {"topic", event.topic},
                                {"text", event.text},
                                {"event", event.ToCloudEvent(mesh)}}));
  }
  return http::Response::Of(Json::Map({{"events", std::move(events)}, {"next", stretch.next}}));
}

Answer Feed(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "topics", "mine"}));
  auto txn = TRY(api.store.Read());
  const std::vector<notify::Interest> interests = TRY(InterestsOf(api, *txn, caller, request));
  const std::string mesh = TRY(catalog::MeshId(*txn));
  const notify::Stretch stretch = TRY(notify::Read(*txn, api.clock, caller.principal, interests,
                                                   {.after = 0, .limit = kFeedEvents, .newest_first = true}));
  const std::string about = request.Query("address").empty() ? mesh : mesh + "/" + request.Query("address");
  const Instant updated = stretch.events.empty() ? Instant{} : stretch.events.front().at;
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
      "<id>weft://{0}</id>\n<title>{0}</title>\n<updated>{1}</updated>\n<author><name>Weft</name></author>\n",
      Xml(about), updated.Text());
  for (const notify::Event& event : stretch.events) {
    xml += fmt::format(
        "<entry><id>weft://{}/events/{}</id><title>{}</title><updated>{}</updated><category term=\"{}\"/>"
        "<content type=\"text\">{}</content></entry>\n",
        Xml(mesh), event.row, Xml(event.text), event.at.Text(), event.topic, Xml(event.data.Dump()));
  }
  http::Response response = http::Response::Text(xml + "</feed>\n");
  response.content_type = "application/atom+xml";
  return response;
}

Answer ListSubscriptions(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  Json::Array list;
  for (const subscriptions::Subscription& each : TRY(subscriptions::List(*txn, caller.principal.name)))
    list.push_back(SubscriptionJson(each));
  return http::Response::Of(Json::Map({{"subscriptions", std::move(list)}}));
}

Answer MakeSubscription(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "topics", "webhook"}));
  const std::string& webhook = body["webhook"].Text();
  if (!webhook.empty()) TRY(notify::CheckWebhook(webhook, api.reach));
  auto txn = TRY(api.store.Begin());
  const std::string address = TRY(PlaceOf(api, *txn, caller, body["address"].Text()));
  const notify::Made made =
      TRY(notify::Subscribe(*txn, api.clock, api.vault, caller, address, body["topics"].Texts(), webhook));
  TRY(txn->Commit());
  Json answer = SubscriptionJson(made.subscription);
  answer.Set("secret", OptionalText(made.secret));
  return http::Response::Of(answer);
}

Answer EndSubscription(Api& api, const Caller& caller, const http::Request& request) {
  const std::string& id = request.captures.at("id");
  bool sealed = false;
  {
    auto txn = TRY(api.store.Begin());
    sealed = TRY(notify::Unsubscribe(*txn, api.clock, caller, id));
    TRY(txn->Commit());
  }
  if (sealed) TRY(PurgeStore(api, "the subscription is ended", "weft secret reseal, by an administrator"));
  return http::Response::Of(Json::Map({{"ended", id}}));
}

}  // namespace weft::rest
