#include <duckdb.h>
#include <fmt/format.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "base/text.h"
#include "drivers/engine/internal.h"

namespace weft::engine {

// The chunk's rows from `begin` on, of one column. Without `validity` none is NULL.
struct Gatherer::Part {
  const void* data;
  const uint64_t* validity;
  int64_t begin;
  int64_t count;
  int64_t text_bytes;  // As TextBytes tells.

  // Bits of the validity from the part's row `at` on; at most 64, and none beyond the part.
  uint64_t Valid(int64_t at, int bits) const {
    const int64_t from = begin + at;
    const int shift = static_cast<int>(from % 64);
    uint64_t word = validity[from / 64] >> shift;
    if (shift + bits > 64) word |= validity[from / 64 + 1] << (64 - shift);
    return bits < 64 ? word & ((uint64_t{1} << bits) - 1) : word;
  }

  bool Null(int64_t at) const { return validity && !(validity[(begin + at) / 64] >> ((begin + at) % 64) & 1); }

  // Calls `at_null` with each row that is NULL.
  template <class Row>
  void EachNull(Row at_null) const {
    for (int64_t at = 0; validity && at < count; at += 64) {
      const int bits = static_cast<int>(std::min<int64_t>(64, count - at));
      uint64_t nulls = Valid(at, bits) ^ (bits < 64 ? (uint64_t{1} << bits) - 1 : ~uint64_t{0});
      for (; nulls; nulls &= nulls - 1) at_null(at + std::countr_zero(nulls));
    }
  }
};

namespace {

using Part = Gatherer::Part;

constexpr size_t kAlignment = 64;  // What Arrow recommends.
constexpr size_t kSlack = 16;      // Behind what is asked for, so that short texts are copied in one piece.

// Memory that grows and keeps what it holds.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  template <class T>
  T* As() const {
    return reinterpret_cast<T*>(data_);
  }
  size_t capacity() const { return capacity_; }

  // Room for `size` bytes, of which the first `used` are kept.
  void Reserve(size_t size, size_t used) {
    if (size <= capacity_) return;
    const size_t rounded = (std::max(size, capacity_ * 2) + kSlack + kAlignment - 1) / kAlignment * kAlignment;
    auto* data = static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded));
    if (!data) throw std::bad_alloc();
    if (data_) std::memcpy(data, data_, std::min(used, capacity_));
    std::free(data_);
    data_ = data;
    capacity_ = rounded - kSlack;
  }

 private:
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

// Bits in Arrow's order, the lowest first, in words whose unused bits are zero.
class Bits {
 public:
  // The lowest `count` bits of `word`, at most 64; the others are zero.
  void Append(Buffer& buffer, uint64_t word, int count) {
    const int64_t at = size_ / 64;
    const int used = static_cast<int>(size_ % 64);
    buffer.Reserve((at + 2) * sizeof(word), (at + 1) * sizeof(word));
    auto* words = buffer.As<uint64_t>();
    words[at] = used ? words[at] | word << used : word;
    if (used + count > 64) words[at + 1] = word >> (64 - used);
    size_ += count;
  }
  void AppendOnes(Buffer& buffer, int64_t count) {
    for (; count >= 64; count -= 64) Append(buffer, ~uint64_t{0}, 64);
    if (count) Append(buffer, (uint64_t{1} << count) - 1, static_cast<int>(count));
  }
  int64_t size() const { return size_; }
  void Clear() { size_ = 0; }

 private:
  int64_t size_ = 0;
};

// The buffers of one column's array, in Arrow's order: validity, values or offsets, texts. When the array is released
// they go back to be filled anew: memory that the process gives back and takes again costs more than the copying.
struct Store {
  // Of one column; whoever releases an array may be another thread, and later than the stream. Thread-safe.
  class Spares {
   public:
    std::unique_ptr<Store> Take() {
      std::lock_guard lock(mutex_);
      if (stores_.empty()) return std::make_unique<Store>();
      auto store = std::move(stores_.back());
      stores_.pop_back();
      return store;
    }
    void Put(std::unique_ptr<Store> store) {
      std::lock_guard lock(mutex_);
      stores_.push_back(std::move(store));
    }

   private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Store>> stores_;
  };

  Buffer buffers[3];
  const void* pointers[3];
  std::shared_ptr<Spares> home;  // Set while an array holds the buffers: shared by the column and its arrays.

  static void Release(ArrowArray* array) {
    std::unique_ptr<Store> store(static_cast<Store*>(array->private_data));
    const std::shared_ptr<Spares> spares = std::move(store->home);
    spares->Put(std::move(store));
    array->release = nullptr;
  }
};

}  // namespace

// One column of the batch: the validity, and what is made of the values.
class Gatherer::Column {
 public:
  explicit Column(int buffers) : buffers_(buffers) {}
  virtual ~Column() = default;

  void Append(Part part) {
    if (!store_) store_ = spares_->Take();
    if (part.validity) {
      const int64_t nulls_before = nulls_;
      part.EachNull([this](int64_t) { ++nulls_; });
      if (nulls_ == nulls_before) part.validity = nullptr;
    }
    if (nulls_) AppendValidity(part);
    AppendValues(part, store_->buffers);
    rows_ += part.count;
  }

  // Bytes of a part's texts; none for values of a fixed width.
  virtual int64_t TextBytes(const Part&) const { return 0; }
  virtual int64_t width() const = 0;  // Of a row, without its text.

  // Moves the rows out and begins anew.
  void Take(ArrowArray* out) {
    for (int i = 0; i < buffers_; ++i) store_->pointers[i] = store_->buffers[i].As<void>();
    if (nulls_ == 0) store_->pointers[0] = nullptr;
    *out = {};
    out->length = rows_;
    out->null_count = nulls_;
    out->n_buffers = buffers_;
    out->buffers = store_->pointers;
    out->release = Store::Release;
    store_->home = spares_;
    out->private_data = store_.release();
    rows_ = nulls_ = 0;
    validity_.Clear();
    Clear();
  }

 protected:
  int64_t rows() const { return rows_; }

 private:
  // Values, not their validity: what stands under a NULL becomes zero, whatever the engine left there.
  virtual void AppendValues(const Part& part, Buffer* buffers) = 0;
  virtual void Clear() {}

  // The rows before the first NULL have no bits yet.
  void AppendValidity(const Part& part) {
    Buffer& buffer = store_->buffers[0];
    validity_.AppendOnes(buffer, rows_ - validity_.size());
    for (int64_t at = 0; part.validity && at < part.count; at += 64) {
      const int bits = static_cast<int>(std::min<int64_t>(64, part.count - at));
      validity_.Append(buffer, part.Valid(at, bits), bits);
    }
    if (!part.validity) validity_.AppendOnes(buffer, part.count);
  }

  const int buffers_;
  std::unique_ptr<Store> store_;  // None before the first row of a batch.
  const std::shared_ptr<Store::Spares> spares_ = std::make_shared<Store::Spares>();  // Shared with the arrays.
  Bits validity_;
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
};

namespace {

// Values that Arrow keeps as `To` and the engine as `From`: the same, or a decimal's narrower integer.
template <class From, class To = From>
class Values final : public Gatherer::Column {
 public:
  Values() : Column(2) {}
  int64_t width() const override { return sizeof(To); }

 private:
  void AppendValues(const Part& part, Buffer* buffers) override {
    buffers[1].Reserve((rows() + part.count) * sizeof(To), rows() * sizeof(To));
    To* to = buffers[1].As<To>() + rows();
    const From* from = static_cast<const From*>(part.data) + part.begin;
    if constexpr (std::is_same_v<From, To>) {
      std::memcpy(to, from, part.count * sizeof(To));
    } else {
      for (int64_t i = 0; i < part.count; ++i) to[i] = {static_cast<uint64_t>(int64_t{from[i]}), from[i] < 0 ? -1 : 0};
    }
    part.EachNull([to](int64_t row) { to[row] = To{}; });
  }
};

// Truths: the engine has a byte for each, Arrow a bit.
class Truths final : public Gatherer::Column {
 public:
  Truths() : Column(2) {}
  int64_t width() const override { return 1; }

 private:
  void AppendValues(const Part& part, Buffer* buffers) override {
    const auto* from = static_cast<const uint8_t*>(part.data) + part.begin;
    for (int64_t at = 0; at < part.count; at += 64) {
      const int count = static_cast<int>(std::min<int64_t>(64, part.count - at));
      uint8_t bytes[64] = {};
      std::memcpy(bytes, from + at, count);
      uint64_t word = 0;
      for (int i = 0; i < 8; ++i) {
        uint64_t eight;  // Bytes of 0 or 1; the product's highest byte has their bits in order.
        std::memcpy(&eight, bytes + i * 8, 8);
        word |= ((eight & 0x0101010101010101) * 0x0102040810204080) >> 56 << (i * 8);
      }
      values_.Append(buffers[1], part.validity ? word & part.Valid(at, count) : word, count);
    }
  }
  void Clear() override { values_.Clear(); }

  Bits values_;
};

// Texts and blobs behind 32-bit offsets.
class Texts final : public Gatherer::Column {
 public:
  Texts() : Column(3) {}
  int64_t width() const override { return sizeof(int32_t); }

  int64_t TextBytes(const Part& part) const override {
    const auto* from = static_cast<const duckdb_string_t*>(part.data) + part.begin;
    int64_t bytes = 0;
    for (int64_t i = 0; i < part.count; ++i) bytes += from[i].value.inlined.length;
    part.EachNull([&](int64_t row) { bytes -= from[row].value.inlined.length; });
    return bytes;
  }

 private:
  static constexpr uint32_t kInlined = sizeof(duckdb_string_t{}.value.inlined.inlined);
  static_assert(kInlined <= kSlack);

  void AppendValues(const Part& part, Buffer* buffers) override {
    const auto* from = static_cast<const duckdb_string_t*>(part.data) + part.begin;
    buffers[1].Reserve((rows() + part.count + 1) * sizeof(int32_t), (rows() + 1) * sizeof(int32_t));
    int32_t* ends = buffers[1].As<int32_t>() + rows() + 1;
    if (rows() == 0) ends[-1] = 0;
    int64_t size = ends[-1];
    buffers[2].Reserve(size + part.text_bytes + 1, size);
    uint8_t* texts = buffers[2].As<uint8_t>();
    for (int64_t i = 0; i < part.count; ++i) {
      if (!part.Null(i)) {
        const auto& text = from[i].value;
        const uint32_t length = text.inlined.length;
        if (length <= kInlined) {
          std::memcpy(texts + size, text.inlined.inlined, kInlined);
        } else {
          std::memcpy(texts + size, text.pointer.ptr, length);
        }
        size += length;
      }
      ends[i] = static_cast<int32_t>(size);
    }
  }
};

using Wide = duckdb_hugeint;

template <class From, class To = From>
std::unique_ptr<Gatherer::Column> Make() {
  return std::make_unique<Values<From, To>>();
}

std::unique_ptr<Gatherer::Column> DecimalColumn(duckdb_logical_type type) {
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      return Make<int16_t, Wide>();
    case DUCKDB_TYPE_INTEGER:
      return Make<int32_t, Wide>();
    case DUCKDB_TYPE_BIGINT:
      return Make<int64_t, Wide>();
    default:
      return Make<Wide>();
  }
}

struct Known {
  duckdb_type type;
  std::string_view format;  // What the format begins with: the settings of a connection can ask for another.
  std::unique_ptr<Gatherer::Column> (*make)();
};

constexpr Known kKnown[] = {
    {DUCKDB_TYPE_TINYINT, "c", Make<int8_t>},
    {DUCKDB_TYPE_UTINYINT, "C", Make<uint8_t>},
    {DUCKDB_TYPE_SMALLINT, "s", Make<int16_t>},
    {DUCKDB_TYPE_USMALLINT, "S", Make<uint16_t>},
    {DUCKDB_TYPE_INTEGER, "i", Make<int32_t>},
    {DUCKDB_TYPE_UINTEGER, "I", Make<uint32_t>},
    {DUCKDB_TYPE_BIGINT, "l", Make<int64_t>},
    {DUCKDB_TYPE_UBIGINT, "L", Make<uint64_t>},
    {DUCKDB_TYPE_HUGEINT, "d:38,0", Make<Wide>},
    {DUCKDB_TYPE_FLOAT, "f", Make<float>},
    {DUCKDB_TYPE_DOUBLE, "g", Make<double>},
    {DUCKDB_TYPE_DATE, "tdD", Make<int32_t>},
    {DUCKDB_TYPE_TIME, "ttu", Make<int64_t>},
    {DUCKDB_TYPE_TIMESTAMP, "tsu:", Make<int64_t>},
    {DUCKDB_TYPE_TIMESTAMP_TZ, "tsu:", Make<int64_t>},
    {DUCKDB_TYPE_TIMESTAMP_S, "tss:", Make<int64_t>},
    {DUCKDB_TYPE_TIMESTAMP_MS, "tsm:", Make<int64_t>},
    {DUCKDB_TYPE_TIMESTAMP_NS, "tsn:", Make<int64_t>},
    {DUCKDB_TYPE_BOOLEAN, "b", [] { return std::unique_ptr<Gatherer::Column>(new Truths); }},
    {DUCKDB_TYPE_VARCHAR, "u", [] { return std::unique_ptr<Gatherer::Column>(new Texts); }},
    {DUCKDB_TYPE_BLOB, "z", [] { return std::unique_ptr<Gatherer::Column>(new Texts); }},
};

}  // namespace

Gatherer::Gatherer() = default;
Gatherer::~Gatherer() = default;

std::unique_ptr<Gatherer> Gatherer::For(std::span<const duckdb_logical_type> types, const ArrowSchema& schema) {
  std::unique_ptr<Gatherer> gatherer(new Gatherer);
  for (size_t i = 0; i < types.size(); ++i) {
    const std::string_view format = schema.children[i]->format;
    const duckdb_type id = duckdb_get_type_id(types[i]);
    std::unique_ptr<Column> column;
    if (id == DUCKDB_TYPE_DECIMAL && format.starts_with("d:") && format.ends_with(",128")) {
      column = DecimalColumn(types[i]);
    }
    for (const Known& known : kKnown) {
      if (known.type == id && format.starts_with(known.format)) column = known.make();
    }
    if (!column) return nullptr;
    gatherer->width_ += column->width();
    gatherer->columns_.push_back(std::move(column));
  }
  return gatherer;
}

Result<int64_t> Gatherer::Add(duckdb_data_chunk chunk, int64_t begin) {
  const int64_t size = static_cast<int64_t>(duckdb_data_chunk_get_size(chunk));
  int64_t count = std::min(size - begin, kMostRows - rows_);
  std::vector<Part> parts;
  for (size_t i = 0; i < columns_.size(); ++i) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
    parts.push_back({duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector), begin, count, 0});
  }
  // What does not fit begins the next batch; a chunk that is too much for any is taken in pieces.
  int64_t bytes = TRY(Measure(parts));
  while (bytes_ + bytes > kMostBytes && count > 0) {
    if (rows_ > 0) return 0;
    if (count == 1) break;
    count /= 2;
    for (Part& part : parts) part.count = count;
    bytes = TRY(Measure(parts));
  }
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i]->Append(parts[i]);
  rows_ += count;
  bytes_ += bytes;
  return count;
}

Result<int64_t> Gatherer::Measure(std::span<Part> parts) const {
  int64_t bytes = width_ * (parts.empty() ? 0 : parts[0].count);
  for (size_t i = 0; i < parts.size(); ++i) {
    const int64_t text = parts[i].text_bytes = columns_[i]->TextBytes(parts[i]);
    bytes += text;
    if (parts[i].count == 1 && text > std::numeric_limits<int32_t>::max()) {
      return Error{Code::kInvalid, fmt::format("Invalid Input Error: column {} has a value of {}, and Arrow's texts "
                                               "have at most 2 GiB: shorten it in the statement",
                                               i + 1, HumanBytes(text))};
    }
  }
  return bytes;
}

void Gatherer::Take(ArrowArray* out) {
  struct Batch {
    std::vector<ArrowArray> columns;
    std::vector<ArrowArray*> pointers;
    const void* no_validity = nullptr;
  };
  auto batch = std::make_unique<Batch>();
  batch->columns.resize(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    columns_[i]->Take(&batch->columns[i]);
    batch->pointers.push_back(&batch->columns[i]);
  }
  *out = {};
  out->length = rows_;
  out->n_buffers = 1;
  out->buffers = &batch->no_validity;
  out->n_children = static_cast<int64_t>(batch->pointers.size());
  out->children = batch->pointers.data();
  out->release = [](ArrowArray* array) {
    for (ArrowArray& column : static_cast<Batch*>(array->private_data)->columns) {
      if (column.release) column.release(&column);
    }
    delete static_cast<Batch*>(array->private_data);
    array->release = nullptr;
  };
  out->private_data = batch.release();
  rows_ = bytes_ = 0;
}

}  // namespace weft::engine
