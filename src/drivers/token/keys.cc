#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>

#include "base/id.h"
#include "base/owned.h"
#include "drivers/token/jwt.h"

namespace weft::token {
namespace {

using Number = Owned<BIGNUM, BN_free>;
using Builder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Digest = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using Memory = Owned<BIO, BIO_free_all>;

constexpr int kLeastRsaBits = 2'048;
constexpr int kMostRsaBits = 8'192;
constexpr size_t kCoordinate = 32;  // Of a point of P-256.

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
EVP_PKEY* Pkey(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }
std::shared_ptr<void> Shared(EVP_PKEY* key) {
  return {key, [](void* held) { EVP_PKEY_free(static_cast<EVP_PKEY*>(held)); }};
}

Error Unusable(std::string why) { return {Code::kUnsupported, "the key cannot be used: " + std::move(why)}; }

Result<std::shared_ptr<void>> Build(const char* kind, OSSL_PARAM_BLD* builder) {
  Params params(OSSL_PARAM_BLD_to_param(builder));
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return Unusable(fmt::format("its {} parameters make no key", kind));
  }
  return Shared(key);
}

Result<std::shared_ptr<void>> RsaKey(const Json& jwk) {
  const std::string modulus = TRY(FromBase64Url(jwk["n"].Text()));
  const std::string exponent = TRY(FromBase64Url(jwk["e"].Text()));
  if (modulus.size() * 8 > kMostRsaBits || exponent.empty() || exponent.size() > 8) {
    return Unusable("its modulus or exponent is too long");
  }
  Number n(BN_bin2bn(Bytes(modulus), static_cast<int>(modulus.size()), nullptr));
  Number e(BN_bin2bn(Bytes(exponent), static_cast<int>(exponent.size()), nullptr));
  if (!n || !e || BN_num_bits(n.get()) < kLeastRsaBits) return Unusable("RSA needs 2,048 bits at least");
  if (!BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get())) return Unusable("it is no RSA key");
  Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return Build("RSA", builder.get());
}

Result<std::shared_ptr<void>> EcKey(const Json& jwk) {
  if (jwk["crv"].Text() != "P-256") return Unusable(fmt::format("its curve is {}, and not P-256", jwk["crv"].Dump()));
  const std::string x = TRY(FromBase64Url(jwk["x"].Text()));
  const std::string y = TRY(FromBase64Url(jwk["y"].Text()));
  if (x.size() != kCoordinate || y.size() != kCoordinate) return Unusable("its point is not one of P-256");
  const std::string point = "\x04" + x + y;
  Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return Build("EC", builder.get());
}

Result<std::shared_ptr<void>> EdKey(const Json& jwk) {
  if (jwk["crv"].Text() != "Ed25519")
    return Unusable(fmt::format("its curve is {}, and not Ed25519", jwk["crv"].Dump()));
  const std::string x = TRY(FromBase64Url(jwk["x"].Text()));
  EVP_PKEY* key = x.size() == 32 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()) : nullptr;
  if (!key) return Unusable("its point is not one of Ed25519");
  return Shared(key);
}

// JOSE writes the two numbers side by side, OpenSSL as DER; empty where that cannot be.
std::string DerOf(std::string_view raw) {
  if (raw.size() != 2 * kCoordinate) return "";
  EcSignature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(Bytes(raw), kCoordinate, nullptr);
  BIGNUM* s = BN_bin2bn(Bytes(raw.substr(kCoordinate)), kCoordinate, nullptr);
  if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) return "";
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  std::string text(length > 0 ? reinterpret_cast<char*>(der) : "", length > 0 ? static_cast<size_t>(length) : 0);
  OPENSSL_free(der);
  return text;
}

Result<std::string> RawOf(std::string_view der) {
  const unsigned char* at = Bytes(der);
  EcSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * kCoordinate, '\0');
  if (!signature ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), Bytes(raw), kCoordinate) != static_cast<int>(kCoordinate) ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), Bytes(raw) + kCoordinate, kCoordinate) !=
          static_cast<int>(kCoordinate)) {
    return Error{Code::kInternal, "cannot write a signature"};
  }
  return raw;
}

Result<std::string> Coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  std::string bytes(kCoordinate, '\0');
  const bool got = EVP_PKEY_get_bn_param(key, name, &number) == 1;
  Number owned(number);
  if (!got || BN_bn2binpad(number, Bytes(bytes), kCoordinate) < 0) {
    return Error{Code::kInvalid, "the signing key is none of P-256"};
  }
  return Base64Url(bytes);
}

}  // namespace

std::string Thumbprint(std::string_view text) {
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), Bytes(hash), &length, EVP_sha256(), nullptr) != 1) std::abort();
  hash.resize(length);
  return Base64Url(hash);
}

Result<PublicKey> PublicKey::FromJwk(const Json& jwk) {
  if (jwk["use"].Text("sig") != "sig") return Unusable("it is not for signatures");
  if (jwk.Has("key_ops")) {
    const std::vector<std::string> uses = jwk["key_ops"].Texts();
    if (std::find(uses.begin(), uses.end(), "verify") == uses.end()) return Unusable("it is not for verifying");
  }
  PublicKey key;
  key.id_ = jwk["kid"].Text();
  key.kind_ = jwk["kty"].Text();
  key.algorithm_ = jwk["alg"].Text();
  if (key.kind_ == "RSA") {
    key.key_ = TRY(RsaKey(jwk));
  } else if (key.kind_ == "EC") {
    key.key_ = TRY(EcKey(jwk));
  } else if (key.kind_ == "OKP") {
    key.key_ = TRY(EdKey(jwk));
  } else {
    return Unusable(fmt::format("its kind is {}", jwk["kty"].Dump()));
  }
  return key;
}

bool PublicKey::Fits(Algorithm algorithm) const {
  if (!algorithm_.empty() && algorithm_ != AlgorithmName(algorithm)) return false;
  switch (algorithm) {
    case Algorithm::kRs256:
    case Algorithm::kPs256:
      return kind_ == "RSA";
    case Algorithm::kEs256:
      return kind_ == "EC";
    case Algorithm::kEdDsa:
      return kind_ == "OKP";
  }
  return false;
}

bool PublicKey::Verifies(const Unproven& token) const {
  if (!Fits(token.algorithm)) return false;
  const std::string signature = token.algorithm == Algorithm::kEs256 ? DerOf(token.signature) : token.signature;
  Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  const EVP_MD* hash = token.algorithm == Algorithm::kEdDsa ? nullptr : EVP_sha256();
  if (!digest || EVP_DigestVerifyInit(digest.get(), &context, hash, nullptr, Pkey(key_)) != 1) return false;
  if (token.algorithm == Algorithm::kPs256 &&
      (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(digest.get(), Bytes(signature), signature.size(), Bytes(token.signed_text),
                          token.signed_text.size()) == 1;
}

Result<SigningKey> SigningKey::Of(std::shared_ptr<void> key) {
  SigningKey made;
  made.x_ = TRY(Coordinate(Pkey(key), OSSL_PKEY_PARAM_EC_PUB_X));
  made.y_ = TRY(Coordinate(Pkey(key), OSSL_PKEY_PARAM_EC_PUB_Y));
  // The thumbprint of RFC 7638: the needed members in the order of their names.
  const std::string canonical = fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", made.x_, made.y_);
  made.id_ = Thumbprint(canonical);
  made.key_ = std::move(key);
  return made;
}

Result<SigningKey> SigningKey::Generate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  if (!key) return Error{Code::kInternal, "cannot make a signing key"};
  return Of(Shared(key));
}

Result<SigningKey> SigningKey::FromPem(const std::string& pem) {
  Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr);
  if (!key) return Error{Code::kInvalid, "the text is no private key in PEM"};
  return Of(Shared(key));
}

Result<std::string> SigningKey::Pem() const {
  Memory memory(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (!memory || PEM_write_bio_PrivateKey(memory.get(), Pkey(key_), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Error{Code::kInternal, "cannot write the signing key"};
  }
  const long length = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<size_t>(length));
}

Json SigningKey::PublicJwk() const {
  return Json::Map(
      {{"kty", "EC"}, {"crv", "P-256"}, {"x", x_}, {"y", y_}, {"kid", id_}, {"use", "sig"}, {"alg", "ES256"}});
}

Result<std::string> SigningKey::Sign(const Json& claims) const {
  const Json header = Json::Map({{"alg", "ES256"}, {"typ", "JWT"}, {"kid", id_}});
  const std::string text = Base64Url(header.Dump()) + "." + Base64Url(claims.Dump());
  Digest digest(EVP_MD_CTX_new());
  size_t length = 0;
  std::string der;
  bool done = digest && EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, Pkey(key_)) == 1 &&
              EVP_DigestSign(digest.get(), nullptr, &length, Bytes(text), text.size()) == 1;
  if (done) {
    der.resize(length);
    done = EVP_DigestSign(digest.get(), Bytes(der), &length, Bytes(text), text.size()) == 1;
  }
  if (!done) return Error{Code::kInternal, "cannot sign a token"};
  der.resize(length);
  return text + "." + Base64Url(TRY(RawOf(der)));
}

}  // namespace weft::token
