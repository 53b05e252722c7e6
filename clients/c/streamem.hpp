// streamem.hpp - streamem.h for C++17: what is opened is closed, what fails is thrown. Beside streamem.h; nothing of the protocol is here.
#ifndef STREAMEM_HPP
#define STREAMEM_HPP

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamem.h"
#include "streamem_message.h"

namespace streamem {

/// What went wrong, in words; `code` is the errno value.
struct Error : std::runtime_error {
  Error(int code, const std::string &text) : std::runtime_error(text), code(code) {}
  int code;
};

inline int checked(int result, const char *what) {
  if (result < 0) throw Error(-result, std::string(what) + ": " + std::strerror(-result));
  return result;
}

/// A timeout that never comes.
constexpr std::chrono::milliseconds forever{-1};

/// One frame. It holds its ring: the memory stays mapped when its reader goes on or is closed, and may be overwritten as ever.
class Frame {
 public:
  explicit Frame(const streamem_frame &frame) : frame_(frame) { streamem_ring_hold(frame_.ring); }
  Frame(const Frame &other) : Frame(other.frame_) {}
  Frame &operator=(Frame other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Frame() { streamem_ring_release(frame_.ring); }

  /// Sequence, times, missed, shape and the views, as streamem.h has them.
  const streamem_frame *operator->() const { return &frame_; }
  const streamem_frame &get() const { return frame_; }

  std::vector<uint32_t> shape() const {
    std::vector<uint32_t> shape(STREAMEM_DIMENSIONS_MAX);
    shape.resize(static_cast<size_t>(streamem_shape(&frame_, shape.data())));
    return shape;
  }
  /// Whether what was read of the views before is whole.
  bool valid() const { return streamem_valid(&frame_) != 0; }
  /// A copy that is whole; none where the writer overwrote the frame first: take a newer one.
  std::optional<std::vector<uint8_t>> copy() const {
    std::vector<uint8_t> out(frame_.payload_bytes);
    if (streamem_copy(&frame_, out.data(), out.size()) < 0) return std::nullopt;
    return out;
  }
  /// The frame that this one was computed from.
  std::optional<streamem_reference> refers_to() const {
    streamem_reference reference;
    if (streamem_refers_to(&frame_, &reference) <= 0) return std::nullopt;
    return reference;
  }

 private:
  streamem_frame frame_;
};

/// Reads one stream; belongs to one thread at a time.
class Reader {
 public:
  explicit Reader(const std::string &name, std::chrono::milliseconds timeout = {}, const char *prefix = nullptr) {
    streamem_error error{};
    streamem_reader *reader = nullptr;
    int result = streamem_open(&reader, prefix, name.c_str(), timeout.count(), &error);
    if (result < 0) throw Error(-result, error.text);
    reader_.reset(reader);
  }

  std::optional<Frame> latest() { return taken([&](streamem_frame *frame) { return streamem_latest(get(), frame); }); }
  std::optional<Frame> newest(std::chrono::milliseconds timeout = forever) {
    return taken([&](streamem_frame *frame) { return streamem_newest(get(), frame, timeout.count()); });
  }
  std::optional<Frame> next(std::chrono::milliseconds timeout = forever) {
    return taken([&](streamem_frame *frame) { return streamem_next(get(), frame, timeout.count()); });
  }
  std::optional<Frame> nearest(uint64_t time_ns) { return taken([&](streamem_frame *frame) { return streamem_nearest(get(), time_ns, frame); }); }
  std::vector<Frame> last(uint32_t n) {
    std::vector<streamem_frame> frames(n);
    int count = checked(streamem_last(get(), frames.data(), n), "last: allowed are 1 to slots - 1 frames");
    return std::vector<Frame>(frames.begin(), frames.begin() + count);
  }

  /// STREAMEM_LIVE, STREAMEM_STALLED, STREAMEM_DEAD, STREAMEM_RETIRED.
  int state() { return streamem_state(get()); }
  /// For epoll; belongs to the reader.
  int fd() { return checked(streamem_fd(get()), "fd"); }
  std::string_view descriptor() const {
    const char *json = nullptr;
    uint32_t bytes = streamem_descriptor(reader_.get(), &json);
    return {json, bytes};
  }
  /// For all else of streamem.h.
  streamem_reader *get() { return reader_.get(); }

 private:
  template <typename Verb>
  std::optional<Frame> taken(Verb verb) {
    streamem_frame frame;
    if (verb(&frame) != STREAMEM_FRAME) return std::nullopt;
    return Frame(frame);
  }
  struct Close {
    void operator()(streamem_reader *reader) const { streamem_reader_close(reader); }
  };
  std::unique_ptr<streamem_reader, Close> reader_;
};

/// Writes one stream; the end of it ends the stream.
class Writer {
 public:
  explicit Writer(const streamem_spec &spec) {
    made([&](streamem_writer **writer, streamem_error *error) { return streamem_create(writer, &spec, error); });
  }
  /// A stream of messages: encoding json, utf8 or msgpack.
  static Writer messages(const std::string &name, const std::string &encoding = "json", const char *prefix = nullptr) {
    Writer writer;
    writer.made([&](streamem_writer **out, streamem_error *error) { return streamem_create_messages(out, prefix, name.c_str(), encoding.c_str(), 0, error); });
    return writer;
  }

  void publish(const void *payload, size_t bytes, const streamem_meta *meta = nullptr, const void *fields = nullptr) {
    checked(streamem_publish(get(), payload, bytes, meta, fields), "publish");
  }
  /// refers_to: the frame that the message was computed from.
  void publish(std::string_view message, const Frame *refers_to = nullptr) {
    checked(streamem_publish_message(get(), message.data(), message.size(), refers_to ? &refers_to->get() : nullptr), "publish");
  }
  /// For all else of streamem.h.
  streamem_writer *get() { return writer_.get(); }

 private:
  Writer() = default;
  template <typename Make>
  void made(Make make) {
    streamem_error error{};
    streamem_writer *writer = nullptr;
    int result = make(&writer, &error);
    if (result < 0) throw Error(-result, error.text);
    writer_.reset(writer);
  }
  struct Close {
    void operator()(streamem_writer *writer) const { streamem_writer_close(writer); }
  };
  std::unique_ptr<streamem_writer, Close> writer_;
};

}  // namespace streamem
#endif
