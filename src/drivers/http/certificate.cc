#include "drivers/http/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/file.h"
#include "base/owned.h"
#include "base/text.h"

namespace weft::http {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Paper = Owned<X509, X509_free>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using Memory = Owned<BIO, BIO_free_all>;

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr int64_t kDay = 86'400;
constexpr int64_t kHostDays = 397;
constexpr int64_t kAuthorityDays = 10 * 365;
constexpr int64_t kClockLeeway = 300;  // Of a client whose clock is late.
constexpr int kSerialBytes = 16;

Error Failed(std::string_view what) { return {Code::kInternal, fmt::format("cannot {}", what)}; }

Memory Reading(const std::string& pem) { return Memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

std::string TextOf(BIO* memory) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory, &text);
  return {text, static_cast<size_t>(length)};
}

Result<Paper> PaperOf(const std::string& pem) {
  Paper paper(PEM_read_bio_X509(Reading(pem).get(), nullptr, nullptr, nullptr));
  if (!paper) return Error{Code::kInvalid, "it is no certificate in PEM"};
  return paper;
}

// A key with a password would ask for it at a terminal: it gets none.
Result<Key> KeyOf(const std::string& pem) {
  auto no_password = [](char*, int, int, void*) { return 0; };
  Key key(PEM_read_bio_PrivateKey(Reading(pem).get(), nullptr, no_password, nullptr));
  if (!key) return Error{Code::kInvalid, "it is no private key in PEM without a password"};
  return key;
}

Status Extend(X509* paper, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, paper, nullptr, nullptr, 0);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (extension && X509_add_ext(paper, extension.get(), -1) == 1) return {};
  return Failed("write what a certificate is for: " + value);
}

Status Name(X509_NAME* name, const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, static_cast<int>(text.size()), -1, 0) == 1)
    return {};
  return Failed("name a certificate");
}

// With its own key, number, name and time; unsigned.
Result<Paper> NewPaper(EVP_PKEY* key, const std::string& name, Instant now, int64_t days) {
  Paper paper(X509_new());
  unsigned char serial[kSerialBytes];
  if (!paper || RAND_bytes(serial, kSerialBytes) != 1) return Failed("make a certificate");
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 0x40);  // Positive, and of full length.
  Owned<BIGNUM, BN_free> number(BN_bin2bn(serial, kSerialBytes, nullptr));
  const time_t seconds = now.micros / 1'000'000;
  if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(paper.get())) ||
      X509_set_version(paper.get(), X509_VERSION_3) != 1 || X509_set_pubkey(paper.get(), key) != 1 ||
      !ASN1_TIME_set(X509_getm_notBefore(paper.get()), seconds - kClockLeeway) ||
      !ASN1_TIME_set(X509_getm_notAfter(paper.get()), seconds + days * kDay)) {
    return Failed("make a certificate");
  }
  TRY(Name(X509_get_subject_name(paper.get()), name));
  return paper;
}

Result<Certificate> Signed(X509* paper, EVP_PKEY* key, EVP_PKEY* signer) {
  Memory chain(BIO_new(BIO_s_mem())), secret(BIO_new(BIO_s_mem()));
  if (!chain || !secret || X509_sign(paper, signer, EVP_sha256()) == 0 || PEM_write_bio_X509(chain.get(), paper) != 1 ||
      PEM_write_bio_PrivateKey(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Failed("sign a certificate");
  }
  return Certificate{TextOf(chain.get()), TextOf(secret.get())};
}

// "IP:127.0.0.1" or "DNS:weft.local".
Result<std::string> AlternativeName(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  if (::inet_pton(AF_INET, host.c_str(), address) == 1 || ::inet_pton(AF_INET6, host.c_str(), address) == 1) {
    return "IP:" + host;
  }
  const bool name =
      !host.empty() && host.size() <= 253 && host[0] != '-' && host[0] != '.' && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
      });
  if (name) return "DNS:" + host;
  return Error{Code::kInvalid,
               fmt::format("'{}' is no host: write a name like weft.example.org or an IP address", host)};
}

}  // namespace

Result<Certificate> ReadCertificate(const std::string& chain_file, const std::string& key_file) {
  auto about = [](const std::string& file, Error error) {
    return Error{Code::kInvalid, fmt::format("cannot use {}: {}", file, error.message)};
  };
  auto chain = ReadFile(chain_file, kMostBytes);
  if (!chain) return about(chain_file, chain.TakeError());
  auto paper = PaperOf(*chain);
  if (!paper) return about(chain_file, paper.TakeError());
  auto secret = ReadFile(key_file, kMostBytes);
  if (!secret) return about(key_file, secret.TakeError());
  auto key = KeyOf(*secret);
  if (!key) return about(key_file, key.TakeError());
  if (X509_check_private_key(paper->get(), key->get()) != 1) {
    return Error{Code::kInvalid, fmt::format("cannot use the key {} with the certificate {}: it is another's key",
                                             key_file, chain_file)};
  }
  return Certificate{chain.TakeValue(), secret.TakeValue()};
}

Result<Certificate> MakeAuthority(Instant now) {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return Failed("make a key");
  Paper paper = TRY(NewPaper(key.get(), "Weft development authority", now, kAuthorityDays));
  if (X509_set_issuer_name(paper.get(), X509_get_subject_name(paper.get())) != 1) return Failed("make an authority");
  TRY(Extend(paper.get(), paper.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(Extend(paper.get(), paper.get(), NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(Extend(paper.get(), paper.get(), NID_subject_key_identifier, "hash"));
  return Signed(paper.get(), key.get(), key.get());
}

Result<Certificate> MakeHostCertificate(const Certificate& authority, const std::vector<std::string>& hosts,
                                        Instant now) {
  std::vector<std::string> names;
  for (const std::string& host : hosts) names.push_back(TRY(AlternativeName(host)));
  const Paper issuer = TRY(PaperOf(authority.chain));
  const Key signer = TRY(KeyOf(authority.key));
  Key key(EVP_EC_gen("P-256"));
  if (!key) return Failed("make a key");
  Paper paper = TRY(NewPaper(key.get(), "weft", now, kHostDays));
  if (X509_set_issuer_name(paper.get(), X509_get_subject_name(issuer.get())) != 1) return Failed("name an issuer");
  TRY(Extend(paper.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE"));
  TRY(Extend(paper.get(), issuer.get(), NID_key_usage, "critical,digitalSignature"));
  TRY(Extend(paper.get(), issuer.get(), NID_ext_key_usage, "serverAuth"));
  TRY(Extend(paper.get(), issuer.get(), NID_subject_alt_name, Join(names, ",")));
  TRY(Extend(paper.get(), issuer.get(), NID_subject_key_identifier, "hash"));
  TRY(Extend(paper.get(), issuer.get(), NID_authority_key_identifier, "keyid"));
  return Signed(paper.get(), key.get(), signer.get());
}

Result<Instant> EndOf(const Certificate& certificate) {
  const Paper paper = TRY(PaperOf(certificate.chain));
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(paper.get()), &end) != 1) return Failed("read when a certificate ends");
  return Instant{int64_t{::timegm(&end)} * 1'000'000};
}

}  // namespace weft::http
