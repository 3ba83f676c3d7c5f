#include "apps/weft/certificates.h"

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"

namespace weft::app {

CertificateWatch::CertificateWatch(std::string chain_file, std::string key_file)
    : chain_file_(std::move(chain_file)), key_file_(std::move(key_file)), seen_(Seen()) {}

std::string CertificateWatch::Seen() const {
  Hasher hasher;
  for (const std::string& file : {chain_file_, key_file_}) {
    auto text = ReadFile(file, size_t{1} << 20);
    hasher.Add(text ? *text + "\n" : "cannot be read\n");
  }
  return hasher.Hex();
}

void CertificateWatch::Look(http::Server& http, flight::Server& flight) {
  std::string now = Seen();
  if (now == seen_) return;
  auto taken = [&]() -> Status {
    const http::Certificate certificate = TRY(http::ReadCertificate(chain_file_, key_file_));
    TRY(http.UseCertificate(certificate));
    TRY(flight.UseCertificate(certificate.chain, certificate.key));
    log::Info("new certificate", {{"file", chain_file_}, {"until", TRY(http::EndOf(certificate)).Text()}});
    return {};
  }();
  if (!taken) {
    const bool flies = flight.Ready().has_value();
    log::Error(flies ? "the new certificate is not used; the one before stays"
                     : "the new certificate is shown over HTTP alone; Flight listens nowhere, and is tried again",
               {{"why", taken.error().message}});
  }
  // A listener that could not be taken over yet is tried again.
  if (taken || taken.error().code != Code::kUnavailable) seen_ = std::move(now);
}

}  // namespace weft::app
