#include "drivers/http/server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <condition_variable>
#include <optional>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "drivers/http/spool.h"
#include "drivers/http/target.h"

namespace weft::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using Tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;
using Parser = wire::request_parser<wire::buffer_body>;

constexpr auto kOutcome = net::as_tuple(net::use_awaitable);
constexpr size_t kHeaderLimit = size_t{32} << 10;
constexpr size_t kPiece = size_t{256} << 10;
constexpr int64_t kSlowestReader = 64'000;  // Bytes a second below which a reader of a large answer is given up.

// What the listener knows of one connection; touched on the socket thread alone.
struct Connection {
  beast::tcp_stream* stream = nullptr;
  bool idle = true;
};

// What every conversation shares. `connections` and `stopping` belong to the socket thread.
struct Shared {
  ServerOptions options;
  Server::Handler handler;
  std::unique_ptr<Pool> pool;
  std::set<Connection*> connections;
  bool stopping = false;

  // Runs `work` on the pool and comes back to the socket thread with its answer; a full pool is its own answer.
  template <class T>
  net::awaitable<Result<T>> OnPool(std::function<Result<T>()> work) {
    auto start = [this, work = std::move(work)](auto done) {
      auto executor = net::get_associated_executor(done);
      // Shared: the pool's tasks are copyable, the completion is not.
      auto finish = std::make_shared<decltype(done)>(std::move(done));
      auto answer = [executor, finish](Result<T> result) {
        net::post(executor, [finish, result = std::move(result)]() mutable { std::move (*finish)(std::move(result)); });
      };
      Status taken = pool->Submit([work, answer] { answer(Guarded<T>(work)); });
      if (!taken) answer(taken.TakeError());
    };
    return net::async_initiate<const net::use_awaitable_t<>&, void(Result<T>)>(std::move(start), net::use_awaitable);
  }

  template <class T>
  static Result<T> Guarded(const std::function<Result<T>()>& work) {
    try {
      return work();
    } catch (const std::exception& thrown) {
      log::Error("handler threw", {{"what", thrown.what()}});
    } catch (...) {
      log::Error("handler threw", {});
    }
    return Error{Code::kInternal, "the node failed at this request; its log says more"};
  }
};

Result<Request> HeadOf(const Parser& parser, const std::string& peer) {
  const auto& head = parser.get();
  Request request;
  request.method = std::string(head.method_string());
  request.peer = peer;
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& field : head)
    fields.emplace_back(Lower(std::string(field.name_string())), std::string(field.value()));
  TRY(CheckFraming(static_cast<int>(head.version()), fields));
  TRY(ReadTarget(std::string(head.target()), &request));
  for (const auto& [name, value] : fields) {
    auto [at, added] = request.headers.emplace(name, value);
    if (!added) at->second += ", " + value;
  }
  return request;
}

Response Refusal(int status, std::string message) {
  return ToResponse({status == 503 ? Code::kUnavailable : Code::kInvalid, std::move(message)}, status);
}

std::string OneLine(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return text;
}

// Requests and answers over one connection, one after the other. Runs on the socket thread.
template <class Stream>
class Conversation {
 public:
  Conversation(Shared& shared, Stream& stream, Connection& connection, std::string peer)
      : shared_(shared), stream_(stream), connection_(connection), peer_(std::move(peer)) {}

  net::awaitable<void> Run() {
    bool more = true;
    while (more && !shared_.stopping) more = co_await OneRequest();
    co_await Close();
  }

  // Answers what has not been read at all, and closes.
  net::awaitable<void> TurnAway(Response refusal) {
    parser_.emplace();
    co_await Write(refusal, false, false);
    co_await Close();
  }

 private:
  void Expire(std::chrono::milliseconds after) { beast::get_lowest_layer(stream_).expires_after(after); }

  // Answers whether the connection may go on.
  net::awaitable<bool> OneRequest() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(boost::none);  // Counted here, so that a refusal can say so.
    connection_.idle = buffer_.size() == 0;
    Expire(shared_.options.idle_timeout);
    auto [ec, read] = co_await wire::async_read_header(stream_, buffer_, *parser_, kOutcome);
    connection_.idle = false;
    if (ec) {
      if (ec.category() != wire::make_error_code(wire::error::bad_method).category() ||
          ec == wire::error::end_of_stream || ec == wire::error::partial_message) {
        co_return false;  // Gone, or too slow.
      }
      const bool large = ec == wire::error::header_limit || ec == wire::error::buffer_overflow;
      Response refusal = large ? Refusal(431, fmt::format("the request's head is larger than {} bytes", kHeaderLimit))
                               : Refusal(400, "the request is no HTTP/1.1: " + ec.message());
      co_return co_await Refuse(std::move(refusal));
    }
    Result<Request> head = HeadOf(*parser_, peer_);
    if (!head) co_return co_await Refuse(ToResponse(head.error(), 400));
    Request request = head.TakeValue();
    std::unique_ptr<Spool> spool;
    std::optional<Response> refusal = co_await ReadBody(request, spool);
    if (broken_) co_return false;
    if (refusal) co_return co_await Refuse(std::move(*refusal));
    co_return co_await Answer(request);
  }

  net::awaitable<std::optional<Response>> ReadBody(Request& request, std::unique_ptr<Spool>& spool) {
    const ServerOptions& options = shared_.options;
    const size_t limit =
        options.spool_folder.empty() ? std::min(options.memory_body_limit, options.body_limit) : options.body_limit;
    const auto length = parser_->content_length();
    if (parser_->is_done()) co_return std::nullopt;
    if (auto refusal = co_await Admit(request)) co_return refusal;  // Before the client is told to go on.
    if (length && *length > limit) co_return TooLarge(limit, *length);
    if (auto refusal = co_await Continue(request)) co_return refusal;
    std::string piece(kPiece, '\0');
    size_t total = 0;
    while (!parser_->is_done()) {
      parser_->get().body().data = piece.data();
      parser_->get().body().size = piece.size();
      Expire(options.idle_timeout);
      auto [ec, read] = co_await wire::async_read(stream_, buffer_, *parser_, kOutcome);
      if (ec && ec != wire::error::need_buffer) {
        broken_ = !IsSyntax(ec);
        co_return Refusal(400, "the request's body is broken: " + ec.message());
      }
      std::string_view got(piece.data(), piece.size() - parser_->get().body().size);
      total += got.size();
      if (total > limit) co_return TooLarge(limit, total);
      if (!spool && request.body.size() + got.size() <= options.memory_body_limit) {
        request.body.append(got);
        continue;
      }
      std::function<Result<bool>()> keep = [&]() -> Result<bool> {
        if (!spool) {
          spool = TRY(Spool::Open(options.spool_folder));
          TRY(spool->Write(request.body));
          std::string().swap(request.body);
        }
        TRY(spool->Write(got));
        return true;
      };
      Result<bool> kept = co_await shared_.OnPool<bool>(keep);
      if (!kept) co_return ToResponse(kept.error());
    }
    if (spool) request.body_file = spool->path();
    co_return std::nullopt;
  }

  static bool IsSyntax(const ErrorCode& ec) {
    return ec.category() == wire::make_error_code(wire::error::bad_chunk).category() &&
           ec != wire::error::partial_message && ec != wire::error::end_of_stream;
  }

  static Response TooLarge(size_t limit, uint64_t bytes) {
    return Refusal(413,
                   fmt::format("the request's body has {} bytes or more; this node takes at most {}", bytes, limit));
  }

  net::awaitable<std::optional<Response>> Admit(Request& request) {
    if (!shared_.options.admit) co_return std::nullopt;
    using Verdict = std::optional<Response>;
    std::function<Result<Verdict>()> judge = [&]() -> Result<Verdict> { return shared_.options.admit(request); };
    Result<Verdict> verdict = co_await shared_.OnPool<Verdict>(judge);
    if (!verdict) co_return ToResponse(verdict.error());
    co_return verdict.TakeValue();
  }

  // Tells a client that waits for it to send its body.
  net::awaitable<std::optional<Response>> Continue(const Request& request) {
    const std::string expected = request.Header("expect");
    if (expected.empty() || parser_->get().version() < 11) co_return std::nullopt;
    if (Lower(expected) != "100-continue") co_return Refusal(417, "'" + expected + "' is not what this node can meet");
    const std::string line = "HTTP/1.1 100 Continue\r\n\r\n";
    auto [ec, wrote] = co_await net::async_write(stream_, net::buffer(line), kOutcome);
    broken_ = bool(ec);
    co_return std::nullopt;
  }

  net::awaitable<bool> Answer(Request& request) {
    const bool only_head = request.method == "HEAD";
    if (only_head) request.method = "GET";  // The same answer, less its body.
    std::function<Result<Response>()> handle = [&]() -> Result<Response> { return shared_.handler(request); };
    Result<Response> outcome = co_await shared_.OnPool<Response>(handle);
    Response answer = outcome ? outcome.TakeValue() : ToResponse(outcome.error());
    co_return co_await Write(answer, parser_->get().keep_alive() && !shared_.stopping, only_head);
  }

  // Refuses without having read the whole request: the connection cannot go on.
  net::awaitable<bool> Refuse(Response refusal) {
    co_await Write(refusal, false, false);
    co_return false;
  }

  net::awaitable<bool> Write(Response& answer, bool keep, bool only_head) {
    const bool bodiless = answer.status == 204 || answer.status == 304;
    const bool chunked = answer.more && !bodiless;
    const unsigned version = parser_->get().version() == 10 ? 10 : 11;
    wire::response<wire::empty_body> head(static_cast<wire::status>(answer.status), version);
    head.set(wire::field::server, "weft");
    head.set("X-Content-Type-Options", "nosniff");
    if (!bodiless) head.set(wire::field::content_type, OneLine(answer.content_type));
    for (const auto& [name, value] : answer.headers) head.set(OneLine(name), OneLine(value));
    if (chunked && version == 11) {
      head.chunked(true);
    } else if (chunked) {
      keep = false;  // HTTP/1.0: the end of the connection is the end of the answer.
    } else if (!bodiless) {
      head.content_length(answer.body.size());
    }
    head.keep_alive(keep);
    wire::response_serializer<wire::empty_body> serializer(head);
    Expire(shared_.options.idle_timeout);
    auto [ec, wrote] = co_await wire::async_write_header(stream_, serializer, kOutcome);
    if (ec) co_return false;
    if (only_head || bodiless) co_return keep;
    if (!co_await WritePiece(answer.body, chunked && version == 11)) co_return false;
    if (chunked && !co_await WriteMore(answer, version == 11)) co_return false;
    co_return keep;
  }

  net::awaitable<bool> WriteMore(Response& answer, bool framed) {
    while (true) {
      Result<std::string> piece = co_await shared_.OnPool<std::string>(answer.more);
      if (!piece) {
        // Without its last chunk the client sees that the answer is not whole.
        log::Warn("answer broken off", {{"why", piece.error().message}, {"peer", peer_}});
        co_return false;
      }
      if (piece->empty()) break;
      if (!co_await WritePiece(*piece, framed)) co_return false;
    }
    if (!framed) co_return true;
    auto [ec, wrote] = co_await net::async_write(stream_, wire::make_chunk_last(), kOutcome);
    co_return !ec;
  }

  net::awaitable<bool> WritePiece(const std::string& bytes, bool framed) {
    if (bytes.empty()) co_return true;
    Expire(shared_.options.idle_timeout +
           std::chrono::milliseconds(static_cast<int64_t>(bytes.size()) * 1'000 / kSlowestReader));
    if (framed) {
      auto [ec, wrote] = co_await net::async_write(stream_, wire::make_chunk(net::buffer(bytes)), kOutcome);
      co_return !ec;
    }
    auto [ec, wrote] = co_await net::async_write(stream_, net::buffer(bytes), kOutcome);
    co_return !ec;
  }

  // Lets the client read the last answer before the connection goes: unread bytes would reset it.
  net::awaitable<void> Close() {
    Expire(std::chrono::seconds(2));
    if constexpr (!std::is_same_v<Stream, beast::tcp_stream>) {
      if (!broken_) co_await stream_.async_shutdown(kOutcome);
    }
    beast::tcp_stream& lowest = beast::get_lowest_layer(stream_);
    ErrorCode ignored;
    lowest.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    std::string rest(size_t{64} << 10, '\0');
    for (size_t drained = 0; drained < (size_t{64} << 20);) {
      auto [ec, got] = co_await lowest.async_read_some(net::buffer(rest), kOutcome);
      if (ec) break;
      drained += got;
    }
    lowest.close();
  }

  Shared& shared_;
  Stream& stream_;
  Connection& connection_;
  const std::string peer_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool broken_ = false;
};

class Listener : public Server {
 public:
  Listener(ServerOptions options, Handler handler) : acceptor_(io_) {
    shared_.pool = std::make_unique<Pool>("requests", options.threads, options.queue_limit);
    shared_.options = std::move(options);
    shared_.handler = std::move(handler);
  }
  ~Listener() override { Stop(Deadline::After(std::chrono::milliseconds(0))); }

  Status Open() {
    const ServerOptions& options = shared_.options;
    if (options.tls_certificate.empty() != options.tls_key.empty()) {
      return Error{Code::kInvalid, "TLS needs both a certificate and its key"};
    }
    const bool secure = !options.tls_certificate.empty();
    if (secure) tls_ = TRY(TlsOf(TRY(ReadCertificate(options.tls_certificate, options.tls_key))));
    ErrorCode ec;
    const auto address = net::ip::make_address(options.address, ec);
    if (ec) return Error{Code::kInvalid, "'" + options.address + "' is no IP address to listen on"};
    if (options.port < 0 || options.port > 65'535) {
      return Error{Code::kInvalid, fmt::format("{} is no port: 0 to 65535", options.port)};
    }
    const Tcp::endpoint at(address, static_cast<uint16_t>(options.port));
    acceptor_.open(at.protocol(), ec);
    if (!ec) acceptor_.set_option(Tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(at, ec);
    if (!ec) acceptor_.listen(net::socket_base::max_listen_connections, ec);
    if (ec) {
      return Error{Code::kUnavailable, fmt::format("cannot listen on {}:{}: {}; is another node running there?",
                                                   options.address, options.port, ec.message())};
    }
    port_ = acceptor_.local_endpoint().port();
    net::co_spawn(io_, Accept(), net::detached);
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  int port() const override { return port_; }

  Status UseCertificate(const Certificate& certificate) override {
    net::post(io_, [this, tls = TRY(TlsOf(certificate))] { tls_ = tls; });
    return {};
  }

  void Stop(Deadline deadline) override {
    if (!thread_.joinable()) return;
    net::post(io_, [this] {
      shared_.stopping = true;
      ErrorCode ignored;
      acceptor_.close(ignored);
      for (Connection* connection : shared_.connections) {
        if (connection->idle) connection->stream->close();
      }
    });
    {
      std::unique_lock lock(mutex_);
      auto done = [this] { return open_ == 0; };
      // Some clocks overflow when they wait for the end of time.
      if (deadline.at() == Deadline::Never().at()) {
        ended_.wait(lock, done);
      } else {
        ended_.wait_until(lock, deadline.at(), done);
      }
    }
    net::post(io_, [this] {
      for (Connection* connection : shared_.connections) connection->stream->close();
    });
    thread_.join();  // When the last conversation has ended; a handler that runs is waited for.
    shared_.pool.reset();
  }

 private:
  using Tls = std::shared_ptr<net::ssl::context>;  // Connections hold what they need of it.
  static Result<Tls> TlsOf(const Certificate& certificate) {
    auto tls = std::make_shared<net::ssl::context>(net::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    ErrorCode ec;
    tls->use_certificate_chain(net::buffer(certificate.chain), ec);
    if (!ec) tls->use_private_key(net::buffer(certificate.key), net::ssl::context::pem, ec);
    if (ec) return Error{Code::kInvalid, "cannot use the certificate: " + ec.message()};
    return tls;
  }

  net::awaitable<void> Accept() {
    while (!shared_.stopping) {
      auto [ec, socket] = co_await acceptor_.async_accept(kOutcome);
      if (ec == net::error::operation_aborted || shared_.stopping) co_return;
      if (ec) {  // Out of descriptors, mostly: some will be closed.
        log::Warn("cannot accept", {{"why", ec.message()}});
        net::steady_timer pause(io_, std::chrono::milliseconds(100));
        co_await pause.async_wait(kOutcome);
        continue;
      }
      if (shared_.connections.size() >= shared_.options.connection_limit) continue;
      ErrorCode ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      net::co_spawn(io_, Serve(std::move(socket)), net::detached);
    }
  }

  net::awaitable<void> Serve(Tcp::socket socket) {
    ErrorCode ec;
    const Tcp::endpoint remote = socket.remote_endpoint(ec);
    if (ec) co_return;
    const std::string peer = fmt::format("{}:{}", remote.address().to_string(), remote.port());
    if (shared_.options.tls_certificate.empty()) {
      beast::tcp_stream stream(std::move(socket));
      Presence presence(*this, stream);
      Conversation conversation(shared_, stream, presence.connection, peer);
      co_await conversation.Run();
      co_return;
    }
    beast::ssl_stream<beast::tcp_stream> stream(std::move(socket), *tls_);
    beast::tcp_stream& lowest = beast::get_lowest_layer(stream);
    Presence presence(*this, lowest);
    lowest.expires_after(std::min<std::chrono::milliseconds>(std::chrono::seconds(10), shared_.options.idle_timeout));
    beast::flat_buffer first;
    auto [unread, secure] = co_await beast::async_detect_ssl(lowest, first, kOutcome);
    if (unread) co_return;
    if (!secure) {  // HTTP in the clear, mostly.
      Conversation plain(shared_, lowest, presence.connection, peer);
      co_return co_await plain.TurnAway(Refusal(400, "this port speaks TLS: write https://"));
    }
    auto [failed, used] = co_await stream.async_handshake(net::ssl::stream_base::server, first.data(), kOutcome);
    if (failed) co_return;
    Conversation conversation(shared_, stream, presence.connection, peer);
    co_await conversation.Run();
  }

  // Counts a connection while it lives.
  struct Presence {
    Presence(Listener& owner, beast::tcp_stream& stream) : listener(owner) {
      connection.stream = &stream;
      listener.shared_.connections.insert(&connection);
      std::lock_guard lock(listener.mutex_);
      ++listener.open_;
    }
    ~Presence() {
      listener.shared_.connections.erase(&connection);
      std::lock_guard lock(listener.mutex_);
      if (--listener.open_ == 0) listener.ended_.notify_all();
    }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

    Listener& listener;
    Connection connection;
  };

  net::io_context io_{1};
  Shared shared_;
  Tls tls_;  // Null: none. Of the thread that runs `io_`, once that runs.
  Tcp::acceptor acceptor_;
  int port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t open_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler handler) {
  auto listener = std::make_unique<Listener>(std::move(options), std::move(handler));
  TRY(listener->Open());
  return std::unique_ptr<Server>(std::move(listener));
}

}  // namespace weft::http
