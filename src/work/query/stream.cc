#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "work/query/internal.h"

namespace weft::query {
namespace {

int64_t FixedWidth(std::string_view format) {
  switch (format[0]) {
    case 'c':
    case 'C':
      return 1;
    case 's':
    case 'S':
    case 'e':
      return 2;
    case 'i':
    case 'I':
    case 'f':
      return 4;
    case 'l':
    case 'L':
    case 'g':
      return 8;
    case 'd':
      return 16;
    case 't':
      if (format == "tdD" || format == "tts" || format == "ttm" || format == "tiM") return 4;
      return format == "tin" ? 16 : 8;
    default:
      return 0;
  }
}

template <class Offset>
int64_t TextBytes(const ArrowArray& array) {
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
  if (!offsets) return 0;
  return array.length * int64_t{sizeof(Offset)} + offsets[array.offset + array.length] - offsets[array.offset];
}

// Bytes of the values as they travel, without padding.
int64_t BytesOf(const ArrowSchema& schema, const ArrowArray& array) {
  const std::string_view format = schema.format;
  int64_t bytes = array.null_count != 0 ? (array.length + 7) / 8 : 0;
  if (format == "b") bytes += (array.length + 7) / 8;
  if (format == "u" || format == "z") bytes += TextBytes<int32_t>(array);
  if (format == "U" || format == "Z") bytes += TextBytes<int64_t>(array);
  if (format == "+l" || format == "+m") bytes += array.length * 4;
  if (format == "+L") bytes += array.length * 8;
  if (format[0] != '+') bytes += array.length * FixedWidth(format);
  for (int64_t i = 0; i < array.n_children; ++i) bytes += BytesOf(*schema.children[i], *array.children[i]);
  return bytes;
}

int ErrnoOf(Code code) {
  switch (code) {
    case Code::kInvalid:
      return EINVAL;
    case Code::kUnsupported:
      return ENOSYS;
    case Code::kUnauthenticated:
    case Code::kDenied:
      return EACCES;
    case Code::kNotFound:
      return ENOENT;
    case Code::kConflict:
      return EEXIST;
    case Code::kUnavailable:
      return EAGAIN;
    case Code::kInternal:
      return EIO;
  }
  return EIO;
}

class Governed {
 public:
  explicit Governed(std::unique_ptr<Running> running) : running_(std::move(running)) {}
  ~Governed() {
    if (schema_.release) schema_.release(&schema_);
    End({"cancelled", "its client let go of it"});
  }

  int Schema(ArrowSchema* out) {
    int failed = running_ ? running_->rows.get_schema(&running_->rows, out) : EIO;
    return failed ? Fail(failed) : 0;
  }

  int Next(ArrowArray* out) {
    out->release = nullptr;
    if (!running_) return 0;
    if (!schema_.release) {
      if (int failed = Schema(&schema_)) return failed;
    }
    if (int failed = running_->rows.get_next(&running_->rows, out)) return Fail(failed);
    if (!out->release) {
      End({"completed"});
      return 0;
    }
    rows_ += out->length;
    bytes_ += BytesOf(schema_, *out);
    if (running_->row_limit > 0 && rows_ > running_->row_limit) {
      rows_ -= out->length;
      out->release(out);
      out->release = nullptr;
      return Fail(Error{Code::kUnavailable, fmt::format("the answer has more than the {} rows that this node gives at "
                                                        "once: narrow the statement, or page it with LIMIT and OFFSET",
                                                        running_->row_limit)});
    }
    return 0;
  }

  const char* last_error() const { return error_.c_str(); }

 private:
  int Fail(int failed) {
    const char* message = running_ ? running_->rows.get_last_error(&running_->rows) : nullptr;
    const Code code = failed == EAGAIN ? Code::kUnavailable : engine::ErrorOf(message ? message : "").code;
    if (!running_) return failed;
    return Fail(ReadError(*running_, {code, message ? message : "the engine failed without a message"}));
  }

  int Fail(Error error) {
    error_ = error.message;
    if (error.code == Code::kInternal) running_->furnished->broken = true;
    End(running_->OutcomeOf(error.code));
    return ErrnoOf(error.code);
  }

  void End(const Outcome& outcome) {
    if (!running_) return;
    if (running_->rows.release) running_->rows.release(&running_->rows);
    auto ended = std::move(running_->ended);
    running_.reset();
    ended(rows_, bytes_, outcome);
  }

  std::unique_ptr<Running> running_;
  ArrowSchema schema_{};
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  std::string error_;
};

}  // namespace

void ExportGoverned(std::unique_ptr<Running> running, ArrowArrayStream* out) {
  engine::ExportStream(std::make_unique<Governed>(std::move(running)), out);
}

Code CodeOfErrno(int number) {
  switch (number) {
    case EINVAL:
      return Code::kInvalid;
    case ENOSYS:
      return Code::kUnsupported;
    case EACCES:
      return Code::kDenied;
    case ENOENT:
      return Code::kNotFound;
    case EEXIST:
      return Code::kConflict;
    case EAGAIN:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

Error ReadError(const Running& running, Error error) {
  if (running.stop.stop_requested()) return {Code::kUnavailable, "the query was cancelled"};
  if (running.watchdog && running.watchdog->fired()) {
    return {Code::kUnavailable, fmt::format("the query ran longer than the {} s that this node gives, and was stopped; "
                                            "read less of it at once",
                                            running.timeout.count() / 1'000.0)};
  }
  if (auto denied = OfGrants(error, *running.tables)) return *std::move(denied);
  return Worded(Shown(std::move(error), *running.tables), *running.sql);
}

}  // namespace weft::query
