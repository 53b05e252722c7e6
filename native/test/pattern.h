/* Frames of which every 8-byte word, every field and every time follows from the sequence: a frame mixed from two
 * writes cannot pass. A stamp at the head and the tail would: it caught 0 of 57 torn frames where this caught each. */
#ifndef STREAMEM_TEST_PATTERN_H
#define STREAMEM_TEST_PATTERN_H

#include <stdint.h>
#include <string.h>

#define PATTERN_BYTES_MAX 4096u
#define PATTERN_FIELDS 3u

static inline uint64_t pattern_word(uint64_t sequence, uint64_t i) {
  return sequence * 0x9e3779b97f4a7c15ull + i * 0xbf58476d1ce4e5b9ull;
}

/* 64 B to PATTERN_BYTES_MAX in steps of 64, another one for each sequence. */
static inline uint64_t pattern_bytes(uint64_t sequence) {
  return 64 + (sequence * 0x9e3779b97f4a7c15ull >> 40) % (PATTERN_BYTES_MAX / 64) * 64;
}

static inline void pattern_fill(uint64_t *words, uint64_t bytes, uint64_t sequence) {
  for (uint64_t i = 0; i < bytes / 8; i++) words[i] = pattern_word(sequence, i);
}

/* The differences are gathered without a branch, so that the loop is as fast as a real consumer's. */
static inline int pattern_holds(const uint64_t *words, uint64_t bytes, uint64_t sequence) {
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < bytes / 8; i++) wrong |= words[i] ^ pattern_word(sequence, i);
  return wrong == 0;
}

static inline void pattern_meta(streamem_meta *meta, uint64_t fields[PATTERN_FIELDS], uint64_t sequence) {
  memset(meta, 0, sizeof *meta);
  meta->device_time = pattern_word(sequence, 1001);
  meta->capture_time_ns = sequence * 1000;
  meta->time_error_ns = pattern_word(sequence, 1002);
  meta->clock_epoch = (uint32_t)sequence;
  meta->fields_bytes = (uint32_t)(8 + sequence % PATTERN_FIELDS * 8);
  meta->dimensions = (uint32_t)(1 + sequence % 8);
  for (uint32_t d = 0; d < 8; d++) meta->shape[d] = d < meta->dimensions ? (d ? 1 : (uint32_t)(pattern_bytes(sequence) / 8)) : 0;
  for (uint32_t i = 0; i < PATTERN_FIELDS; i++) fields[i] = pattern_word(sequence, 2000 + i);
}

/* The numbers that a reader is given are copies: they have to be of one frame even where its views are gone by now. */
static inline int pattern_numbers_hold(const streamem_frame *frame) {
  streamem_meta meta;
  uint64_t fields[PATTERN_FIELDS];
  pattern_meta(&meta, fields, frame->sequence);
  return frame->payload_bytes == pattern_bytes(frame->sequence) && frame->device_time == meta.device_time &&
         frame->capture_time_ns == meta.capture_time_ns && frame->time_error_ns == meta.time_error_ns &&
         frame->clock_epoch == meta.clock_epoch && frame->fields_bytes == meta.fields_bytes &&
         frame->dimensions == meta.dimensions && memcmp(frame->shape, meta.shape, sizeof meta.shape) == 0 &&
         frame->publish_time_ns > 0 && frame->publish_utc_ns > 0;
}

static inline int pattern_fields_hold(const uint64_t *fields, uint32_t bytes, uint64_t sequence) {
  for (uint32_t i = 0; i < bytes / 8; i++)
    if (fields[i] != pattern_word(sequence, 2000 + i)) return 0;
  return 1;
}

static inline int pattern_publish(streamem_writer *writer, uint64_t sequence) {
  uint64_t words[PATTERN_BYTES_MAX / 8], fields[PATTERN_FIELDS];
  streamem_meta meta;
  pattern_meta(&meta, fields, sequence);
  pattern_fill(words, pattern_bytes(sequence), sequence);
  return streamem_publish(writer, words, pattern_bytes(sequence), &meta, fields);
}

static inline void pattern_spec(streamem_spec *spec, const char *prefix, const char *name, uint32_t slots) {
  memset(spec, 0, sizeof *spec);
  spec->prefix = prefix;
  spec->name = name;
  spec->descriptor = "{\"kind\":\"tensor\",\"dtype\":\"<u8\",\"shape\":[8],\"fields\":[{\"name\":\"a\",\"dtype\":\"<u8\",\"shape\":[3],\"offset\":0}]}";
  spec->payload_capacity = PATTERN_BYTES_MAX;
  spec->fields_capacity = PATTERN_FIELDS * 8;
  spec->slot_count = slots;
  spec->group = (uint32_t)-1;
}
#endif
