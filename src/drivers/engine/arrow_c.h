// The Arrow C data and stream interfaces: an ABI that is copied, not linked (arrow.apache.org/docs/format).
#pragma once

#include <cstdint>
#include <memory>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
extern "C" {
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}
#endif

namespace weft::engine {

// Moves the source into a C stream. It has Schema and Next as the interface has them, and last_error.
template <class Source>
void ExportStream(std::unique_ptr<Source> source, ArrowArrayStream* out) {
  static constexpr auto kOf = [](ArrowArrayStream* stream) { return static_cast<Source*>(stream->private_data); };
  out->private_data = source.release();
  out->get_schema = [](ArrowArrayStream* stream, ArrowSchema* schema) { return kOf(stream)->Schema(schema); };
  out->get_next = [](ArrowArrayStream* stream, ArrowArray* array) { return kOf(stream)->Next(array); };
  out->get_last_error = [](ArrowArrayStream* stream) { return kOf(stream)->last_error(); };
  out->release = [](ArrowArrayStream* stream) {
    delete kOf(stream);
    stream->release = nullptr;
  };
}

}  // namespace weft::engine
