#include "drivers/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <latch>

#include "base/file.h"
#include "base/id.h"
#include "drivers/http/client.h"

namespace weft::http {
namespace {

using std::chrono::milliseconds;

Response Echo(Request& request) {
  if (request.path == "/throw") throw std::runtime_error("boom");
  if (request.path == "/slow") {
    std::this_thread::sleep_for(milliseconds(300));
    return Response::Text("slept");
  }
  if (request.path == "/count") {
    Response response = Response::Text("0;");
    auto next = std::make_shared<int>(0);  // Copied with the function.
    response.more = [next]() -> Result<std::string> {
      return ++*next > 1'000 ? std::string() : std::to_string(*next) + ";";
    };
    return response;
  }
  if (request.path == "/broken") {
    Response response = Response::Text("begin");
    response.more = []() -> Result<std::string> { return Error{Code::kUnavailable, "gone"}; };
    return response;
  }
  std::string hash = request.body_file.empty() ? Sha256(request.body) : HashFile(request.body_file).value_or("?");
  return Response::Of(Json::Map({{"method", request.method},
                                 {"path", request.path},
                                 {"q", request.Query("q")},
                                 {"bearer", request.Header("authorization")},
                                 {"hash", hash},
                                 {"file", request.body_file},
                                 {"bytes", request.body.size()}}));
}

Request Get(std::string path) {
  Request request;
  request.path = std::move(path);
  return request;
}

class HttpServer : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / NewId("http");
    fs::create_directories(folder_);
    options_.spool_folder = folder_ / "spool";
    options_.threads = 4;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Start(Server::Handler handler = Echo) {
    auto started = Server::Start(options_, std::move(handler));
    ASSERT_TRUE(started) << started.error().message;
    server_ = started.TakeValue();
  }
  std::unique_ptr<Client> Open(ClientOptions options = {}) {
    if (options.url.empty()) options.url = "http://127.0.0.1:" + std::to_string(server_->port());
    return Client::Open(options).TakeValue();
  }
  // What the server answers to these bytes, until it closes.
  std::string Raw(const std::string& bytes) {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<uint16_t>(server_->port()));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    timeval wait{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string answer;
    char piece[4096];
    for (ssize_t got; (got = ::recv(fd, piece, sizeof piece, 0)) > 0;) answer.append(piece, static_cast<size_t>(got));
    ::close(fd);
    return answer;
  }
  std::string Problem(const Response& response) { return FromResponse(response).message; }

  fs::path folder_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, AnswersAThousandRequestsOnOneConnection) {
  std::set<std::string> peers;
  Start([&](Request& request) {
    peers.insert(request.peer);
    return Echo(request);
  });
  auto client = Open();
  for (int i = 0; i < 1'000; ++i) {
    Request request;
    request.path = "/a b/" + std::to_string(i);
    request.query["q"] = "x&y=z";
    auto answer = client->Send(request);
    ASSERT_TRUE(answer) << answer.error().message;
    Json body = Json::Parse(answer->body).TakeValue();
    ASSERT_EQ(body["path"].Text(), request.path);
    ASSERT_EQ(body["q"].Text(), "x&y=z");
  }
  EXPECT_EQ(peers.size(), 1u);
}

TEST_F(HttpServer, SpoolsALargeBodyAndRemovesIt) {
  options_.memory_body_limit = 100'000;
  Start();
  const std::string bytes(5'000'000, 'x');
  std::ofstream(folder_ / "big") << bytes;
  Request request;
  request.method = "PUT";
  request.path = "/v1/data";
  request.body_file = folder_ / "big";  // Large enough for curl to ask with Expect: 100-continue.
  auto answer = Open()->Send(request);
  ASSERT_TRUE(answer) << answer.error().message;
  Json body = Json::Parse(answer->body).TakeValue();
  EXPECT_EQ(body["hash"].Text(), Sha256(bytes));
  EXPECT_FALSE(body["file"].Text().empty());
  EXPECT_EQ(body["bytes"].Int(), 0);
  server_.reset();
  EXPECT_FALSE(fs::exists(body["file"].Text()));
}

TEST_F(HttpServer, ABodyAtTheLimitOfMemoryStaysInMemory) {
  options_.memory_body_limit = 100'000;
  Start();
  Request request;
  request.method = "POST";
  request.path = "/";
  request.body = std::string(100'000, 'y');
  Json body = Json::Parse(Open()->Send(request)->body).TakeValue();
  EXPECT_EQ(body["bytes"].Int(), 100'000);
  EXPECT_EQ(body["file"].Text(), "");
}

TEST_F(HttpServer, RefusesABodyBeyondTheLimit) {
  options_.memory_body_limit = 1'000;
  options_.body_limit = 10'000;
  Start();
  std::ofstream(folder_ / "big") << std::string(3'000'000, 'x');
  Request request;
  request.method = "PUT";
  request.body_file = folder_ / "big";
  request.path = "/";
  auto answer = Open()->Send(request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
  EXPECT_NE(Problem(*answer).find("takes at most 10000"), std::string::npos) << Problem(*answer);
  // Chunked bodies tell no length before.
  std::string chunk = "2000\r\n" + std::string(0x2000, 'z') + "\r\n";
  std::string raw =
      Raw("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n");
  EXPECT_TRUE(raw.starts_with("HTTP/1.1 413")) << raw;
  EXPECT_TRUE(!fs::exists(folder_ / "spool") || fs::is_empty(folder_ / "spool"));
}

TEST_F(HttpServer, JudgesTheHeadBeforeAnyBody) {
  options_.memory_body_limit = 1'000;
  options_.admit = [&](Request& request) -> std::optional<Response> {
    if (!request.Header("authorization").empty()) return std::nullopt;
    return ToResponse({Code::kUnauthenticated, "no token"});
  };
  std::atomic<int> handled = 0;
  Start([&](Request& request) {
    ++handled;
    return Echo(request);
  });
  // The answer does not wait for a byte of the body, and ends the connection.
  for (const char* body : {"Content-Length: 900", "Content-Length: 4000000", "Transfer-Encoding: chunked"}) {
    std::string raw = Raw(std::string("PUT / HTTP/1.1\r\nHost: x\r\n") + body + "\r\n\r\n");
    EXPECT_TRUE(raw.starts_with("HTTP/1.1 401")) << raw;
    EXPECT_NE(raw.find("Connection: close"), std::string::npos) << raw;
  }
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(Open()->Send(Get("/"))->status, 200) << "what has no body is the handler's to judge";
  Request request;
  request.method = "PUT";
  request.path = "/";
  request.body = std::string(2'000'000, 'x');
  auto refused = Open()->Send(request);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 401);
  EXPECT_FALSE(fs::exists(folder_ / "spool"));
  ClientOptions with;
  with.url = "http://127.0.0.1:" + std::to_string(server_->port());
  with.bearer = "weft_x";
  EXPECT_EQ(Open(with)->Send(request)->status, 200);
}

TEST_F(HttpServer, StreamsAChunkedAnswer) {
  Start();
  Request request;
  request.path = "/count";
  auto client = Open();
  auto answer = client->Send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers["transfer-encoding"], "chunked");
  EXPECT_TRUE(answer->body.starts_with("0;1;2;"));
  EXPECT_TRUE(answer->body.ends_with(";1000;"));
  EXPECT_TRUE(client->Send(request));
  request.path = "/broken";
  EXPECT_FALSE(client->Send(request));  // An answer that broke off is no answer.
  EXPECT_TRUE(Raw("GET /count HTTP/1.0\r\n\r\n").ends_with(";1000;"));
}

TEST_F(HttpServer, HeadHasTheLengthAndNoBody) {
  Start();
  Request request;
  request.method = "HEAD";
  request.path = "/x";
  auto answer = Open()->Send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_GT(std::stoi(answer->headers["content-length"]), 10);
  EXPECT_EQ(answer->body, "");
}

TEST_F(HttpServer, RefusesWhatIsNoHttp) {
  Start();
  for (const char* bytes :
       {"garbage\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/3.7\r\nHost: a\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"}) {
    std::string answer = Raw(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << bytes << "\n" << answer;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
  }
  std::string large = Raw("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(large.starts_with("HTTP/1.1 431")) << large.substr(0, 200);
  EXPECT_EQ(Open()->Send(Get("/"))->status, 200);
}

TEST_F(HttpServer, RefusesBodiesWhoseEndIsAmbiguous) {
  std::atomic<int> handled = 0;
  Start([&](Request& request) {
    ++handled;
    return Echo(request);
  });
  const std::string smuggled = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding : chunked\r\n"}) {
    std::string answer = Raw("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + smuggled);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << fields << answer;
    EXPECT_EQ(answer.find("HTTP/1.1 2"), std::string::npos) << answer;
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServer, AHandlerThatThrowsIsA500) {
  Start();
  Request request;
  request.path = "/throw";
  auto client = Open();
  auto answer = client->Send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(Problem(*answer).find("boom"), std::string::npos);
  EXPECT_EQ(client->Send(request)->status, 500);
}

TEST_F(HttpServer, AFullQueueAnswers503) {
  options_.threads = 1;
  options_.queue_limit = 1;
  std::latch release(1);
  std::atomic<bool> running = false;
  Start([&](Request&) {
    running = true;
    release.wait();
    return Response::Text("done");
  });
  std::atomic<int> done = 0, busy = 0;
  {
    std::vector<std::jthread> callers;
    auto call = [&] {
      Request request;
      request.path = "/";
      auto answer = Open()->Send(request);
      if (answer && answer->status == 200) ++done;
      if (answer && answer->status == 503) ++busy;
    };
    callers.emplace_back(call);  // Holds the one thread; of those after it one waits in the queue.
    for (int i = 0; i < 1000 && !running; ++i) std::this_thread::sleep_for(milliseconds(10));
    for (int i = 0; i < 7; ++i) callers.emplace_back(call);
    for (int i = 0; i < 500 && busy < 6; ++i) std::this_thread::sleep_for(milliseconds(10));
    release.count_down();
  }
  EXPECT_EQ(done, 2);
  EXPECT_EQ(busy, 6);
}

TEST_F(HttpServer, StopsWhileRequestsRun) {
  Start();
  auto idle = Open();
  Request request;
  request.path = "/x";
  ASSERT_TRUE(idle->Send(request));
  std::atomic<int> slept = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      Request slow;
      slow.path = "/slow";
      auto answer = Open()->Send(slow);
      if (answer && answer->body == "slept") ++slept;
    });
  }
  std::this_thread::sleep_for(milliseconds(100));
  auto before = std::chrono::steady_clock::now();
  server_->Stop(Deadline::After(milliseconds(5'000)));
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(3'000));
  callers.clear();
  EXPECT_EQ(slept, 4);
  auto answer = idle->Send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_NE(answer.error().message.find("cannot reach the node at http://127.0.0.1:"), std::string::npos)
      << answer.error().message;
}

TEST_F(HttpServer, OnlyThisMachineIsAskedPastAProxy) {
  Start();
  ClientOptions with;
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  auto direct = Open(with)->Send(Get("/echo"));
  ::setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(server_->port())).c_str(), 1);
  with.url = "http://127.example.com:1";
  auto proxied = Open(with)->Send(Get("/echo"));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(direct) << direct.error().message;
  EXPECT_EQ(direct->status, 200);
  ASSERT_TRUE(proxied) << proxied.error().message;
  EXPECT_EQ(proxied->status, 400) << "this server is no proxy";
}

TEST_F(HttpServer, ClosesTheSlowAndTheSilent) {
  options_.idle_timeout = milliseconds(200);
  Start();
  EXPECT_EQ(Raw("GET / HT"), "");
  EXPECT_EQ(Raw(""), "");
  EXPECT_EQ(Raw("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"), "");
}

// A self-signed certificate for 127.0.0.1.
void WriteCertificate(const fs::path& certificate, const fs::path& key) {
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  X509* cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3'600);
  X509_set_pubkey(cert, pair);
  X509_NAME* name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("node"), -1, -1, 0);
  X509_set_issuer_name(cert, name);
  X509V3_CTX context;
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(cert, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(cert, pair, EVP_sha256());
  for (auto& [path, write] : std::map<fs::path, std::function<void(FILE*)>>{
           {certificate, [&](FILE* file) { PEM_write_X509(file, cert); }},
           {key, [&](FILE* file) { PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr); }}}) {
    FILE* file = std::fopen(path.c_str(), "w");
    write(file);
    std::fclose(file);
  }
  X509_free(cert);
  EVP_PKEY_free(pair);
}

TEST_F(HttpServer, SpeaksTls) {
  WriteCertificate(folder_ / "cert.pem", folder_ / "key.pem");
  options_.tls_certificate = folder_ / "cert.pem";
  options_.tls_key = folder_ / "key.pem";
  options_.memory_body_limit = 1'000;
  Start();
  ClientOptions with;
  with.url = "https://127.0.0.1:" + std::to_string(server_->port());
  auto stranger = Open(with)->Send(Get("/"));
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("not trusted"), std::string::npos) << stranger.error().message;
  with.ca_file = folder_ / "cert.pem";
  auto client = Open(with);
  for (int i = 0; i < 20; ++i) {
    Request request;
    request.method = "PUT";
    request.path = "/x";
    request.body = std::string(2'000'000, 'b');
    auto answer = client->Send(request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(Json::Parse(answer->body)->operator[]("hash").Text(), Sha256(request.body));
  }
  EXPECT_EQ(client->Send(Get("/count"))->body.size(), 2 + 3'893u);
  EXPECT_EQ(Raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n").find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(HttpServer, SaysWhyItCannotStart) {
  Start();
  ServerOptions second;
  second.port = server_->port();
  auto taken = Server::Start(second, Echo);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("cannot listen on 127.0.0.1:" + std::to_string(second.port)), std::string::npos);
  second.port = 0;
  second.tls_certificate = folder_ / "none.pem";
  second.tls_key = folder_ / "none.key";
  EXPECT_NE(Server::Start(second, Echo).error().message.find("none.pem"), std::string::npos);
  ClientOptions schemeless;
  schemeless.url = "node:80";
  EXPECT_EQ(Client::Open(schemeless).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace weft::http
