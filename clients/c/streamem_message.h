/* streamem_message.h - messages of any length, and which frame each was computed from. Beside streamem.h; C11, C++17.
 *
 * The contract is native/LAYOUT.md, "Message streams". A reference is 96 bytes at the start of a frame's fields. */
#ifndef STREAMEM_MESSAGE_H
#define STREAMEM_MESSAGE_H

#include "streamem.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STREAMEM_MESSAGE_CAPACITY 16384u
#define STREAMEM_MESSAGE_SLOTS 256u

/** The four fields of a reference, to stand first in a descriptor's `fields`: also of a stream that is no message, such as a mask. */
#define STREAMEM_REFERENCE_FIELDS \
  "{\"name\":\"refers_to_sequence\",\"dtype\":\"<u8\",\"shape\":[],\"offset\":0}," \
  "{\"name\":\"refers_to_capture_time_ns\",\"dtype\":\"<u8\",\"shape\":[],\"offset\":8,\"unit\":\"ns\"}," \
  "{\"name\":\"refers_to_generation\",\"dtype\":\"|u1\",\"shape\":[16],\"offset\":16}," \
  "{\"name\":\"refers_to_stream\",\"dtype\":\"|u1\",\"shape\":[64],\"offset\":32}"

/** A frame by its stream's name, the generation of its ring, its sequence, and its capture time. As it lies in the fields. */
typedef struct streamem_reference {
  uint64_t sequence;        /* 0: refers to nothing */
  uint64_t capture_time_ns; /* STREAMEM_UNKNOWN where not known */
  uint8_t generation[16];
  char stream[64]; /* filled up with zeros */
} streamem_reference;

STREAMEM__ASSERT(reference_bytes, sizeof(streamem_reference) == 96);

static inline int streamem__is_stream(const char *name, size_t room) {
  return memchr(name, 0, room) && streamem__check_names("streamem", name, NULL) == 0;
}

/* The end of the JSON value that begins at json[at]: behind its last bracket. */
static inline size_t streamem__json_end(const char *json, size_t bytes, size_t at) {
  int depth = 0;
  for (; at < bytes; at++) {
    if (json[at] == '"')
      for (at++; at < bytes && json[at] != '"'; at++) at += json[at] == '\\';
    else if (json[at] == '{' || json[at] == '[') depth++;
    else if ((json[at] == '}' || json[at] == ']') && --depth <= 0) return at + 1;
  }
  return bytes;
}

/* Whether an object of the list has a string member `name` of this value and a number member `offset` of that. */
static inline int streamem__has_field(const char *list, size_t bytes, const char *name, unsigned offset) {
  size_t end = streamem__json_end(list, bytes, 0), name_bytes = strlen(name);
  for (size_t at = 1; at < end; at++) {
    if (list[at] != '{') continue;
    size_t size = streamem__json_end(list, end, at) - at;
    const char *named = streamem__json_member(list + at, size, "name"), *placed = streamem__json_member(list + at, size, "offset");
    at += size - 1;
    if (!named || !placed || (size_t)(list + at - named) < name_bytes + 2) continue;
    if (named[0] != '"' || memcmp(named + 1, name, name_bytes) != 0 || named[name_bytes + 1] != '"') continue;
    unsigned found = 0, digits = 0;
    for (; placed + digits <= list + at && placed[digits] >= '0' && placed[digits] <= '9' && digits < 6; digits++) found = found * 10 + (unsigned)(placed[digits] - '0');
    if (digits && found == offset) return 1;
  }
  return 0;
}

/** Whether frames of this ring can say which frame they refer to. */
static inline int streamem_can_refer(const streamem_ring *ring) {
  const char *json = (const char *)ring->base + ring->descriptor_offset, *list = streamem__json_member(json, ring->descriptor_bytes, "fields");
  if (!list || *list != '[') return 0;
  size_t bytes = ring->descriptor_bytes - (size_t)(list - json);
  return streamem__has_field(list, bytes, "refers_to_sequence", 0) && streamem__has_field(list, bytes, "refers_to_capture_time_ns", 8) &&
         streamem__has_field(list, bytes, "refers_to_generation", 16) && streamem__has_field(list, bytes, "refers_to_stream", 32);
}

/** The frame that `frame` was computed from. 1; 0 it names none; -ESTALE overwritten before it was read. */
static inline int streamem_refers_to(const streamem_frame *frame, streamem_reference *out) {
  if (frame->fields_bytes < sizeof *out || !streamem_can_refer(frame->ring)) return 0;
  memcpy(out, frame->fields, sizeof *out);
  if (!streamem_valid(frame)) return -ESTALE;
  return out->sequence != 0 && streamem__is_stream(out->stream, sizeof out->stream);
}

/** The reference to a frame that a reader gave. -EINVAL where its descriptor does not say a stream's name. */
static inline int streamem_reference_to(const streamem_frame *frame, streamem_reference *out) {
  const char *json = (const char *)frame->ring->base + frame->ring->descriptor_offset;
  const char *name = streamem__json_member(json, frame->ring->descriptor_bytes, "name"), *end = json + frame->ring->descriptor_bytes;
  memset(out, 0, sizeof *out);
  if (!name || *name != '"') return -EINVAL;
  for (size_t n = 0; ++name < end && *name != '"' && n + 1 < sizeof out->stream; n++) out->stream[n] = *name;
  if (name >= end || *name != '"' || !streamem__is_stream(out->stream, sizeof out->stream)) return -EINVAL;
  out->sequence = frame->sequence;
  out->capture_time_ns = frame->capture_time_ns;
  memcpy(out->generation, frame->generation, 16);
  return 0;
}

/** Makes a stream of messages. prefix NULL: $STREAMEM_PREFIX, else "streamem"; encoding: "json", "utf8" or "msgpack"; capacity: bytes
 *  of the longest message, 0: 16384. Errors as of streamem_create. */
static inline int streamem_create_messages(streamem_writer **out, const char *prefix, const char *name, const char *encoding, uint32_t capacity, streamem_error *error) {
  char descriptor[1024];
  streamem_spec spec;
  if (strcmp(encoding, "json") != 0 && strcmp(encoding, "utf8") != 0 && strcmp(encoding, "msgpack") != 0)
    return STREAMEM__FAIL(error, EINVAL, "stream \"%.64s\": encoding \"%.64s\", allowed are json, utf8, msgpack", name, encoding);
  if (capacity == 0) capacity = STREAMEM_MESSAGE_CAPACITY;
  snprintf(descriptor, sizeof descriptor,
           "{\"kind\":\"message\",\"dtype\":\"|u1\",\"shape\":[%u],\"dims\":[\"byte\"],\"encoding\":\"%s\","
           "\"clock\":{\"name\":\"CLOCK_MONOTONIC\",\"unit\":\"ns\",\"epoch\":\"boot\",\"method\":\"local\"},\"fields\":[" STREAMEM_REFERENCE_FIELDS "]}",
           capacity, encoding);
  memset(&spec, 0, sizeof spec);
  spec.prefix = prefix;
  spec.name = name;
  spec.descriptor = descriptor;
  spec.payload_capacity = capacity;
  spec.fields_capacity = sizeof(streamem_reference);
  spec.slot_count = STREAMEM_MESSAGE_SLOTS;
  spec.group = (uint32_t)-1;
  return streamem_create(out, &spec, error);
}

/** Publishes one message. refers_to: the frame it was computed from, or NULL; that one's capture time, its error and clock epoch
 *  become the message's own, since a result describes the instant of its picture. Errors as of streamem_publish; -EINVAL where
 *  that frame cannot be referred to. */
static inline int streamem_publish_message(streamem_writer *writer, const void *message, uint64_t bytes, const streamem_frame *refers_to) {
  streamem_reference reference;
  streamem_meta meta;
  memset(&reference, 0, sizeof reference);
  memset(&meta, 0, sizeof meta);
  meta.device_time = meta.capture_time_ns = meta.time_error_ns = STREAMEM_UNKNOWN;
  meta.dimensions = 1;
  meta.shape[0] = (uint32_t)bytes;
  if (refers_to) {
    int result = streamem_reference_to(refers_to, &reference);
    if (result < 0) return result;
    meta.capture_time_ns = refers_to->capture_time_ns;
    meta.time_error_ns = refers_to->time_error_ns;
    meta.clock_epoch = refers_to->clock_epoch;
    meta.fields_bytes = sizeof reference;
  }
  return streamem_publish(writer, message, bytes, &meta, &reference);
}

#ifdef __cplusplus
}
#endif
#endif
