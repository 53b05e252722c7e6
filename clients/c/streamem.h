/* streamem.h - read and write streamem rings. One file: copy it, include it, compile with -pthread.
 *
 * A ring is one POSIX shared-memory file, /dev/shm/<prefix>.<stream>: a header, a JSON descriptor, N slots.
 * One writer fills the slots in turn and never waits. Any number of readers map the file read-only.
 * native/LAYOUT.md is the contract; this file is the only text of the protocol in C, C++ and the hub itself.
 *
 *   WRITER of sequence s                              READER of sequence s
 *   ---------------------------------------------    ------------------------------------------------
 *   begin = s                relaxed                  wake                     acquire  (a hint to look)
 *   (A) release fence, sfence  ----------------.      s = latest               acquire
 *   slot header, fields, payload                |     end == s?                acquire  <-------- (C)
 *   (B) sfence on x86-64 (streaming stores)     |     copy the slot header
 *   (C) end = s              release            |     begin == s?              relaxed
 *   (D) latest = s           release            |     use or copy fields, payload
 *   (E) wake = wake + 1      release            '---> (F) acquire fence
 *   FUTEX_WAKE                                        begin == s?              relaxed
 *
 * (A) pairs with (F): a reader whose loads met one byte of the next lap also meets that lap's begin. On x86-64 it
 *     includes an sfence, since non-temporal stores are ordered with no other store, not even an older one.
 * (B) makes non-temporal stores of the payload visible before (C); a release store alone does not wait for them.
 * (C) pairs with the acquire of end: whoever reads end == s has all of frame s.
 * (D) comes after (C), so latest never names a slot that is not whole. (E) comes last, so a reader that took
 *     the wake word before latest and sleeps on that value cannot miss a frame.
 * On x86-64 the rest of (A), (C), (D), (E), (F) cost no instruction and only bind the compiler.
 *
 * Every function returns 0 or more, or -errno. Those that take a streamem_error put a sentence into it.
 * A reader or a writer belongs to one thread at a time. Needs Linux 4.14; C11, C++17, gcc, clang, TinyCC. */
#ifndef STREAMEM_H
#define STREAMEM_H

#ifndef STREAMEM_NO_LIBC_HEADERS /* whoever defines this has declared what is used below */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#endif

/* Linux values that older headers lack. */
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif
#ifndef MADV_DONTFORK
#define MADV_DONTFORK 10
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* The hub's shim defines this as nothing and so exports the same text as real symbols. */
#ifndef STREAMEM_API
#define STREAMEM_API static inline
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The bytes. native/layout.json says the same for machines. ------------------------------------- */

#define STREAMEM_MAGIC "STREAMEM"
#define STREAMEM_MAJOR 1
#define STREAMEM_MINOR 0
#define STREAMEM_FLAG_RETIRED 1u
#define STREAMEM_WAKE_NONE 0u
#define STREAMEM_WAKE_FUTEX 1u
#define STREAMEM_SLOTS_MIN 4u
#define STREAMEM_SLOTS_MAX 65536u
#define STREAMEM_DESCRIPTOR_BYTES_MAX 65536u
#define STREAMEM_FIELDS_BYTES_MAX 65536u
#define STREAMEM_DIMENSIONS_MAX 8u
#define STREAMEM_PAGE_BYTES 4096u
#define STREAMEM_ALIGNMENT 64u
#define STREAMEM_UNKNOWN 0xffffffffffffffffull /* device_time, capture_time_ns, time_error_ns */
#define STREAMEM_WAIT_SLICE_NS 500000000ull
#define STREAMEM_POLL_INTERVAL_NS 2000000ull
#define STREAMEM_RETRIES_MAX 8

typedef struct streamem_segment_header {
  uint8_t magic[8];
  uint16_t major;
  uint16_t minor;
  uint32_t header_bytes;
  uint64_t total_bytes;
  uint8_t generation[16];
  uint64_t slots_offset;
  uint64_t slot_stride;
  uint64_t payload_capacity;
  uint32_t slot_count;
  uint32_t slot_header_bytes;
  uint32_t fields_offset;
  uint32_t fields_capacity;
  uint32_t payload_offset;
  uint32_t descriptor_offset;
  uint32_t descriptor_bytes;
  uint32_t wake_mode;
  uint32_t writer_pid;
  uint32_t reserved_100;
  uint64_t writer_start_utc_ns;
  uint8_t reserved_112[16];
  uint64_t latest; /* these three share a cache line of their own: all that changes in the header */
  uint32_t wake;
  uint32_t flags;
  uint8_t reserved_144[112];
} streamem_segment_header;

typedef struct streamem_slot_header {
  uint64_t begin;
  uint64_t end;
  uint64_t device_time;
  uint64_t capture_time_ns;
  uint64_t time_error_ns;
  uint64_t publish_time_ns;
  uint64_t publish_utc_ns;
  uint64_t payload_bytes;
  uint32_t clock_epoch;
  uint32_t fields_bytes;
  uint32_t dimensions;
  uint32_t reserved_76;
  uint32_t shape[8];
  uint8_t reserved_112[16];
} streamem_slot_header;

#define STREAMEM__ASSERT(name, condition) typedef char streamem_assert_##name[(condition) ? 1 : -1]
#define STREAMEM__AT(type, field, at) STREAMEM__ASSERT(type##_##field, offsetof(streamem_##type, field) == (at))
STREAMEM__ASSERT(segment_header_bytes, sizeof(streamem_segment_header) == 256);
STREAMEM__AT(segment_header, major, 8);
STREAMEM__AT(segment_header, minor, 10);
STREAMEM__AT(segment_header, header_bytes, 12);
STREAMEM__AT(segment_header, total_bytes, 16);
STREAMEM__AT(segment_header, generation, 24);
STREAMEM__AT(segment_header, slots_offset, 40);
STREAMEM__AT(segment_header, slot_stride, 48);
STREAMEM__AT(segment_header, payload_capacity, 56);
STREAMEM__AT(segment_header, slot_count, 64);
STREAMEM__AT(segment_header, slot_header_bytes, 68);
STREAMEM__AT(segment_header, fields_offset, 72);
STREAMEM__AT(segment_header, fields_capacity, 76);
STREAMEM__AT(segment_header, payload_offset, 80);
STREAMEM__AT(segment_header, descriptor_offset, 84);
STREAMEM__AT(segment_header, descriptor_bytes, 88);
STREAMEM__AT(segment_header, wake_mode, 92);
STREAMEM__AT(segment_header, writer_pid, 96);
STREAMEM__AT(segment_header, writer_start_utc_ns, 104);
STREAMEM__AT(segment_header, latest, 128);
STREAMEM__AT(segment_header, wake, 136);
STREAMEM__AT(segment_header, flags, 140);
STREAMEM__ASSERT(slot_header_bytes, sizeof(streamem_slot_header) == 128);
STREAMEM__AT(slot_header, begin, 0);
STREAMEM__AT(slot_header, end, 8);
STREAMEM__AT(slot_header, device_time, 16);
STREAMEM__AT(slot_header, capture_time_ns, 24);
STREAMEM__AT(slot_header, time_error_ns, 32);
STREAMEM__AT(slot_header, publish_time_ns, 40);
STREAMEM__AT(slot_header, publish_utc_ns, 48);
STREAMEM__AT(slot_header, payload_bytes, 56);
STREAMEM__AT(slot_header, clock_epoch, 64);
STREAMEM__AT(slot_header, fields_bytes, 68);
STREAMEM__AT(slot_header, dimensions, 72);
STREAMEM__AT(slot_header, shape, 80);

/* ---- The only atomics. ----------------------------------------------------------------------------- */

#ifdef __TINYC__
/* TinyCC has no __atomic; it neither reorders nor fuses volatile accesses, and x86-64 keeps loads in order,
 * stores in order, and stores after earlier loads, which is acquire and release. */
#ifndef __x86_64__
#error "TinyCC has no atomics: on this architecture compile with gcc or clang"
#endif
#define STREAMEM__BARRIER() __asm__ volatile("" ::: "memory")
static inline uint64_t streamem__load64(const volatile uint64_t *p) { uint64_t v = *p; STREAMEM__BARRIER(); return v; }
static inline uint32_t streamem__load32(const volatile uint32_t *p) { uint32_t v = *p; STREAMEM__BARRIER(); return v; }
#define STREAMEM_LOAD_ACQUIRE(p) (sizeof(*(p)) == 8 ? streamem__load64((const volatile uint64_t *)(p)) : streamem__load32((const volatile uint32_t *)(p)))
#define STREAMEM_LOAD_RELAXED(p) STREAMEM_LOAD_ACQUIRE(p)
#define STREAMEM_STORE_RELAXED(p, v) do { STREAMEM__BARRIER(); *(p) = (v); STREAMEM__BARRIER(); } while (0)
#define STREAMEM_STORE_RELEASE(p, v) STREAMEM_STORE_RELAXED(p, v)
#define STREAMEM_FENCE_ACQUIRE() STREAMEM__BARRIER()
#define STREAMEM_FENCE_RELEASE() STREAMEM__BARRIER()
#else
#define STREAMEM_LOAD_ACQUIRE(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define STREAMEM_LOAD_RELAXED(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define STREAMEM_STORE_RELAXED(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define STREAMEM_STORE_RELEASE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define STREAMEM_FENCE_ACQUIRE() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define STREAMEM_FENCE_RELEASE() __atomic_thread_fence(__ATOMIC_RELEASE)
#endif
#ifdef __x86_64__
#define STREAMEM_STREAMING_FENCE() __asm__ volatile("sfence" ::: "memory")
#else
#define STREAMEM_STREAMING_FENCE() STREAMEM_FENCE_RELEASE() /* arm64: a release fence covers STNP too */
#endif

/* ---- Errors, clocks, names. ------------------------------------------------------------------------ */

typedef struct streamem_error {
  int32_t code;        /* errno value */
  char text[508];      /* what was wrong, where, what to do */
} streamem_error;

#define STREAMEM__FAIL(error, number, ...) \
  ((error) ? ((error)->code = (number), (void)snprintf((error)->text, sizeof(error)->text, __VA_ARGS__)) : (void)0, -(number))

static inline uint64_t streamem_clock_ns(int clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/** CLOCK_MONOTONIC in ns: the clock of capture_time_ns and publish_time_ns. */
STREAMEM_API uint64_t streamem_now_ns(void) { return streamem_clock_ns(CLOCK_MONOTONIC); }

static inline void streamem__sleep_ns(uint64_t ns) {
  struct timespec t;
  t.tv_sec = (time_t)(ns / 1000000000ull);
  t.tv_nsec = (long)(ns % 1000000000ull);
  nanosleep(&t, NULL);
}

/* Sleeps while *word == seen. Not FUTEX_PRIVATE: the word is shared between processes. */
static inline void streamem__futex_wait(const uint32_t *word, uint32_t seen, uint64_t ns) {
  struct timespec t;
  t.tv_sec = (time_t)(ns / 1000000000ull);
  t.tv_nsec = (long)(ns % 1000000000ull);
  syscall(SYS_futex, word, 0 /* FUTEX_WAIT */, seen, &t, NULL, 0);
}

static inline void streamem__futex_wake(const uint32_t *word) {
  syscall(SYS_futex, word, 1 /* FUTEX_WAKE */, 0x7fffffff, NULL, NULL, 0);
}

static inline int streamem__is_name(const char *text, size_t most, const char *inner, const char *ends) {
  size_t n = text ? strlen(text) : 0;
  if (n == 0 || n > most) return 0;
  return strspn(text, inner) == n && strchr(ends, text[0]) && strchr(ends, text[n - 1]);
}

static inline int streamem__check_names(const char *prefix, const char *name, streamem_error *error) {
  if (!streamem__is_name(prefix, 32, "abcdefghijklmnopqrstuvwxyz0123456789_-", "abcdefghijklmnopqrstuvwxyz0123456789_-"))
    return STREAMEM__FAIL(error, EINVAL, "prefix \"%.64s\": allowed are 1 to 32 of a-z 0-9 _ -", prefix ? prefix : "");
  if (!streamem__is_name(name, 63, "abcdefghijklmnopqrstuvwxyz0123456789._-", "abcdefghijklmnopqrstuvwxyz0123456789"))
    return STREAMEM__FAIL(error, EINVAL,
                          "stream name \"%.80s\": allowed are 1 to 63 of a-z 0-9 . _ -, a letter or digit first and last",
                          name ? name : "");
  return 0;
}

static inline const char *streamem__prefix(const char *prefix) {
  if (!prefix) prefix = getenv("STREAMEM_PREFIX");
  return prefix && *prefix ? prefix : "streamem";
}

/* Whole file, open file description lock: C flock, POSIX locks and lockf do not see each other, and a POSIX
 * lock goes when any descriptor of the file is closed. Returns fcntl's result; *type is the answer of GETLK. */
static inline int streamem__ofd_lock(int fd, int command, short *type) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = *type;
  lock.l_whence = SEEK_SET;
  int result = fcntl(fd, command, &lock);
  *type = lock.l_type;
  return result;
}

/** 1 if a writer holds the ring behind fd, 0 if none. Asks with F_RDLCK and never takes the lock: taking it to
 *  probe would refuse honest starters. A read-only fd is enough. */
STREAMEM_API int streamem_lock_held(int fd) {
  short type = F_RDLCK;
  return streamem__ofd_lock(fd, F_OFD_GETLK, &type) == 0 && type != F_UNLCK;
}

/* ---- Opening a ring: nothing in the file is trusted before it is checked. ---------------------------- */

/** One mapped generation. Counted: views keep it alive after the reader has gone on to the next one. */
typedef struct streamem_ring {
  const uint8_t *base;
  uint64_t mapped_bytes;
  int32_t fd;
  int32_t references;
  uint64_t slots_offset, slot_stride, payload_capacity, writer_start_utc_ns;
  uint32_t slot_count, fields_offset, fields_capacity, payload_offset, descriptor_offset, descriptor_bytes;
  uint32_t wake_mode;
  uint32_t item_bytes; /* of the descriptor's dtype; 1 where it is a record */
  double rate;         /* nominal frames/s, 0 where the descriptor has none */
  uint8_t generation[16];
} streamem_ring;

/* The value of a top-level member of a JSON object, or NULL. Enough for "rate" and "dtype"; not a parser. */
static inline const char *streamem__json_member(const char *json, size_t bytes, const char *key) {
  size_t key_bytes = strlen(key);
  int depth = 0;
  for (size_t i = 0; i < bytes; i++) {
    if (json[i] == '{' || json[i] == '[') depth++;
    if (json[i] == '}' || json[i] == ']') depth--;
    if (json[i] != '"') continue;
    size_t start = ++i;
    while (i < bytes && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
    size_t after = i + 1;
    while (after < bytes && (json[after] == ' ' || json[after] == '\n' || json[after] == '\t' || json[after] == '\r')) after++;
    if (depth != 1 || after >= bytes || json[after] != ':') continue;
    if (i - start == key_bytes && memcmp(json + start, key, key_bytes) == 0) {
      after++;
      while (after < bytes && (json[after] == ' ' || json[after] == '\n' || json[after] == '\t' || json[after] == '\r')) after++;
      return after < bytes ? json + after : NULL;
    }
  }
  return NULL;
}

static inline void streamem__read_descriptor(streamem_ring *ring) {
  char *json = (char *)malloc((size_t)ring->descriptor_bytes + 1);
  ring->item_bytes = 1;
  ring->rate = 0;
  if (!json) return;
  memcpy(json, ring->base + ring->descriptor_offset, ring->descriptor_bytes);
  json[ring->descriptor_bytes] = 0; /* strtod and strtoul stop here at the latest */
  const char *rate = streamem__json_member(json, ring->descriptor_bytes, "rate");
  if (rate) ring->rate = strtod(rate, NULL);
  if (!(ring->rate > 1e-9 && ring->rate < 1e9)) ring->rate = 0; /* five periods in ns must fit into 64 bits */
  const char *dtype = streamem__json_member(json, ring->descriptor_bytes, "dtype");
  if (dtype && dtype[0] == '"' && dtype[1] && dtype[2]) { /* "<f4": order, kind, bytes */
    unsigned long bytes = strtoul(dtype + 3, NULL, 10);
    if (bytes >= 1 && bytes <= 4096) ring->item_bytes = (uint32_t)bytes;
  }
  free(json);
}

static inline int streamem__check_header(const streamem_segment_header *h, uint64_t file_bytes, const char *where, streamem_error *error) {
#define STREAMEM__REFUSE(number, ...) return STREAMEM__FAIL(error, number, __VA_ARGS__)
  if (memcmp(h->magic, STREAMEM_MAGIC, 8) != 0) STREAMEM__REFUSE(EBADMSG, "%.200s is not a streamem ring: it does not begin with STREAMEM", where);
  if (h->major != STREAMEM_MAJOR)
    STREAMEM__REFUSE(EPROTO, "%.200s has layout major version %u, this reader knows %d: update the older side", where, h->major, STREAMEM_MAJOR);
  if (file_bytes < h->total_bytes)
    STREAMEM__REFUSE(EBADMSG, "%.200s is truncated: %llu bytes of %llu", where, (unsigned long long)file_bytes, (unsigned long long)h->total_bytes);
#define STREAMEM__NEED(condition) \
  if (!(condition)) STREAMEM__REFUSE(EBADMSG, "%.200s: damaged header, it breaks %s", where, #condition)
  STREAMEM__NEED(h->header_bytes >= 256);
  STREAMEM__NEED(h->slot_count >= STREAMEM_SLOTS_MIN && h->slot_count <= STREAMEM_SLOTS_MAX);
  STREAMEM__NEED(h->slot_header_bytes >= 128);
  STREAMEM__NEED(h->fields_offset >= h->slot_header_bytes && h->fields_offset % 8 == 0);
  STREAMEM__NEED(h->fields_capacity <= STREAMEM_FIELDS_BYTES_MAX);
  STREAMEM__NEED((uint64_t)h->fields_offset + h->fields_capacity <= h->payload_offset);
  STREAMEM__NEED(h->payload_offset % STREAMEM_ALIGNMENT == 0);
  STREAMEM__NEED(h->payload_capacity <= h->slot_stride && h->payload_offset <= h->slot_stride - h->payload_capacity);
  STREAMEM__NEED(h->slot_stride % STREAMEM_ALIGNMENT == 0 && h->slots_offset % STREAMEM_ALIGNMENT == 0);
  STREAMEM__NEED(h->slots_offset <= h->total_bytes);
  STREAMEM__NEED(h->slot_stride <= (h->total_bytes - h->slots_offset) / h->slot_count);
  STREAMEM__NEED(h->descriptor_offset >= h->header_bytes && h->descriptor_bytes <= STREAMEM_DESCRIPTOR_BYTES_MAX);
  STREAMEM__NEED((uint64_t)h->descriptor_offset + h->descriptor_bytes <= h->slots_offset);
#undef STREAMEM__NEED
#undef STREAMEM__REFUSE
  return 0;
}

STREAMEM_API void streamem_ring_hold(streamem_ring *ring) { ring->references++; }

STREAMEM_API void streamem_ring_release(streamem_ring *ring) {
  if (!ring || --ring->references > 0) return;
  munmap((void *)ring->base, ring->mapped_bytes);
  close(ring->fd);
  free(ring);
}

/* Takes fd. The whole file is mapped once, read-only, and never remapped. */
static inline int streamem__ring_from_fd(streamem_ring **out, int fd, const char *where, streamem_error *error) {
  streamem_segment_header h;
  struct stat status;
  int result = 0;
  if (fstat(fd, &status) != 0) result = STREAMEM__FAIL(error, errno, "%.200s: fstat failed: %s", where, strerror(errno));
  else if (!S_ISREG(status.st_mode)) result = STREAMEM__FAIL(error, EBADMSG, "%.200s is not a file", where);
  else if (pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
    result = STREAMEM__FAIL(error, EBADMSG, "%.200s is truncated: shorter than a ring's header", where);
  else result = streamem__check_header(&h, (uint64_t)status.st_size, where, error);
  if (result < 0) { close(fd); return result; }

  void *base = mmap(NULL, h.total_bytes, PROT_READ, MAP_SHARED, fd, 0);
  streamem_ring *ring = base == MAP_FAILED ? NULL : (streamem_ring *)calloc(1, sizeof *ring);
  if (!ring) {
    result = STREAMEM__FAIL(error, ENOMEM, "%.200s: no room to map %llu bytes", where, (unsigned long long)h.total_bytes);
    if (base != MAP_FAILED) munmap(base, h.total_bytes);
    close(fd);
    return result;
  }
  if ((uint64_t)status.st_blocks * 512 >= h.total_bytes) /* not a hole that reading would fill with our memory */
    madvise(base, h.total_bytes, MADV_POPULATE_READ); /* the first frames cost what later ones cost; it may fail freely */
  ring->base = (const uint8_t *)base;
  ring->mapped_bytes = h.total_bytes;
  ring->fd = fd;
  ring->references = 1;
  ring->slots_offset = h.slots_offset;
  ring->slot_stride = h.slot_stride;
  ring->payload_capacity = h.payload_capacity;
  ring->writer_start_utc_ns = h.writer_start_utc_ns;
  ring->slot_count = h.slot_count;
  ring->fields_offset = h.fields_offset;
  ring->fields_capacity = h.fields_capacity;
  ring->payload_offset = h.payload_offset;
  ring->descriptor_offset = h.descriptor_offset;
  ring->descriptor_bytes = h.descriptor_bytes;
  ring->wake_mode = h.wake_mode;
  memcpy(ring->generation, h.generation, 16);
  streamem__read_descriptor(ring);
  *out = ring;
  return 0;
}

/* ---- Reading one frame. ---------------------------------------------------------------------------- */

/** A frame. Its numbers are copied and checked; data and fields are views into the ring, which the writer
 *  overwrites slot_count - 1 publishes later: ask streamem_valid() after use, or take streamem_copy(). */
typedef struct streamem_frame {
  const void *data;
  const void *fields;
  streamem_ring *ring;
  const streamem_slot_header *slot;
  uint64_t sequence;
  uint64_t missed; /* frames published between the one given before and this one */
  uint64_t payload_bytes;
  uint64_t device_time, capture_time_ns, time_error_ns, publish_time_ns, publish_utc_ns;
  uint32_t clock_epoch;
  uint32_t fields_bytes;
  uint32_t dimensions; /* 0: the descriptor's shape holds */
  uint32_t reserved;
  uint32_t shape[8];
  uint8_t generation[16];
} streamem_frame;

#define STREAMEM_NONE 0   /* nothing (new) yet */
#define STREAMEM_FRAME 1  /* a frame */
#define STREAMEM_LAPPED 2 /* the writer overtook STREAMEM_RETRIES_MAX attempts: ask again */

static inline const streamem_segment_header *streamem__header(const streamem_ring *ring) {
  return (const streamem_segment_header *)(const void *)ring->base;
}

/** Whether the frame's views are still whole. Ask after use: a yes covers everything read before it. */
STREAMEM_API int streamem_valid(const streamem_frame *frame) {
  STREAMEM_FENCE_ACQUIRE(); /* (F) an acquire *load* here would let the payload's loads sink below it */
  return STREAMEM_LOAD_RELAXED(&frame->slot->begin) == frame->sequence;
}

static inline int streamem__shape_fits(const streamem_slot_header *slot, uint32_t item_bytes) {
  uint64_t room = slot->payload_bytes / item_bytes, items = 1;
  for (uint32_t d = 0; d < slot->dimensions; d++)
    if (slot->shape[d] == 0) return 1; /* no items at all, wherever the 0 stands */
  for (uint32_t d = 0; d < slot->dimensions; d++) {
    if (items > room / slot->shape[d]) return 0; /* by division: a product may overflow */
    items *= slot->shape[d];
  }
  return 1;
}

/* 1 with a checked frame, 0 when sequence is not (or no longer) whole in its slot. */
static inline int streamem__read(streamem_ring *ring, uint64_t sequence, streamem_frame *frame) {
  const uint8_t *at = ring->base + ring->slots_offset + (sequence % ring->slot_count) * ring->slot_stride;
  const streamem_slot_header *slot = (const streamem_slot_header *)(const void *)at;
  streamem_slot_header copy;
  if (STREAMEM_LOAD_ACQUIRE(&slot->end) != sequence) return 0; /* (C) */
  memcpy(&copy, at, sizeof copy);
  STREAMEM_FENCE_ACQUIRE();
  if (STREAMEM_LOAD_RELAXED(&slot->begin) != sequence) return 0;
  if (copy.payload_bytes > ring->payload_capacity || copy.fields_bytes > ring->fields_capacity) return 0;
  if (copy.dimensions > STREAMEM_DIMENSIONS_MAX) return 0;
  if (!streamem__shape_fits(&copy, ring->item_bytes)) return 0;
  frame->data = at + ring->payload_offset;
  frame->fields = at + ring->fields_offset;
  frame->ring = ring;
  frame->slot = slot;
  frame->sequence = sequence;
  frame->missed = 0;
  frame->payload_bytes = copy.payload_bytes;
  frame->device_time = copy.device_time;
  frame->capture_time_ns = copy.capture_time_ns;
  frame->time_error_ns = copy.time_error_ns;
  frame->publish_time_ns = copy.publish_time_ns;
  frame->publish_utc_ns = copy.publish_utc_ns;
  frame->clock_epoch = copy.clock_epoch;
  frame->fields_bytes = copy.fields_bytes;
  frame->dimensions = copy.dimensions;
  frame->reserved = 0;
  memcpy(frame->shape, copy.shape, sizeof copy.shape);
  memcpy(frame->generation, ring->generation, 16);
  return 1;
}

static inline int streamem__read_newest(streamem_ring *ring, streamem_frame *frame) {
  for (int attempt = 0; attempt < STREAMEM_RETRIES_MAX; attempt++) {
    uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(ring)->latest);
    if (newest == 0) return STREAMEM_NONE;
    if (streamem__read(ring, newest, frame)) return STREAMEM_FRAME;
  }
  return STREAMEM_LAPPED;
}

/** Copies the frame's payload to out. 0, -ENOSPC when out_bytes is too small, -ESTALE when the frame was
 *  overwritten meanwhile (out then holds rubbish). */
STREAMEM_API int streamem_copy(const streamem_frame *frame, void *out, uint64_t out_bytes) {
  if (out_bytes < frame->payload_bytes) return -ENOSPC;
  memcpy(out, frame->data, frame->payload_bytes);
  return streamem_valid(frame) ? 0 : -ESTALE;
}

/** The same for the per-frame fields, fields_bytes of them. */
STREAMEM_API int streamem_copy_fields(const streamem_frame *frame, void *out, uint64_t out_bytes) {
  if (out_bytes < frame->fields_bytes) return -ENOSPC;
  memcpy(out, frame->fields, frame->fields_bytes);
  return streamem_valid(frame) ? 0 : -ESTALE;
}

/** The frame's shape, its own or the descriptor's, into shape[STREAMEM_DIMENSIONS_MAX]. Returns the number of dimensions; 0 where
 *  neither says one. */
static inline int streamem_shape(const streamem_frame *frame, uint32_t *shape) {
  memcpy(shape, frame->shape, sizeof frame->shape);
  if (frame->dimensions) return (int)frame->dimensions;
  const char *json = (const char *)frame->ring->base + frame->ring->descriptor_offset, *end = json + frame->ring->descriptor_bytes;
  const char *at = streamem__json_member(json, frame->ring->descriptor_bytes, "shape");
  int dimensions = 0;
  if (!at || *at != '[') return 0;
  for (at++; at < end && *at != ']'; at++) {
    uint64_t entry = 0;
    if (*at < '0' || *at > '9') continue;
    for (; at < end && *at >= '0' && *at <= '9' && entry <= 0xffffffffu; at++) entry = entry * 10 + (uint64_t)(*at - '0');
    if (dimensions == (int)STREAMEM_DIMENSIONS_MAX || entry > 0xffffffffu) return 0;
    shape[dimensions++] = (uint32_t)entry;
    at--;
  }
  return dimensions;
}

/* ---- The doorbell: a socket that hands out something an event loop can wait on, and the ring itself. -- */

#define STREAMEM_BELL_MAGIC "SMBELL01"

typedef struct streamem__bell_message {
  char magic[8];
  uint8_t generation[16];
} streamem__bell_message;

/* What a doorbell hands out. */
typedef struct streamem__bell_offer {
  int32_t event_fd; /* becomes readable on each publish */
  int32_t ring_fd;  /* the ring, read-only */
  uint8_t generation[16];
} streamem__bell_offer;

/* Returns the connected socket. */
static inline int streamem__bell_connect(const char *path, streamem__bell_offer *offer) {
  struct sockaddr_un address;
  struct timeval patience = {1, 0};
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    int failed = errno;
    close(fd);
    return -failed;
  }
  streamem__bell_message message;
  union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr align; } control;
  struct iovec part;
  struct msghdr header;
  memset(&header, 0, sizeof header);
  part.iov_base = &message;
  part.iov_len = sizeof message;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  ssize_t got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
  struct cmsghdr *c = got > 0 ? CMSG_FIRSTHDR(&header) : NULL;
  int count = c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ? (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
  int received[2] = {-1, -1};
  if (count > 0) memcpy(received, CMSG_DATA(c), (size_t)(count > 2 ? 2 : count) * sizeof(int));
  if (got == (ssize_t)sizeof message && count == 2 && memcmp(message.magic, STREAMEM_BELL_MAGIC, 8) == 0) {
    offer->event_fd = received[0];
    offer->ring_fd = received[1];
    memcpy(offer->generation, message.generation, 16);
    return fd;
  }
  for (int i = 0; i < 2; i++)
    if (received[i] >= 0) close(received[i]);
  close(fd);
  return -ECONNREFUSED; /* full, or not a doorbell */
}

/* The candidate folders in order, also those of the writer. 0 when `which` is past the last. */
static inline int streamem__bell_folder(int which, int grouped, char *out, size_t out_bytes) {
  const char *own = getenv("STREAMEM_DIR");
  const char *session = getenv("XDG_RUNTIME_DIR");
  if (own && *own) return which == 0 && snprintf(out, out_bytes, "%s", own) < (int)out_bytes;
  if (which == 0) { /* 0700 by definition, so no place for a group */
    if (!session || !*session || grouped) out[0] = 0;
    else if (snprintf(out, out_bytes, "%s/streamem", session) >= (int)out_bytes) out[0] = 0;
    return 1;
  }
  if (which == 1) return snprintf(out, out_bytes, "/run/streamem") > 0;
  if (which == 2) return snprintf(out, out_bytes, "/tmp/streamem-%u", (unsigned)geteuid()) > 0;
  return 0;
}

/* ---- A reader. ------------------------------------------------------------------------------------- */

typedef struct streamem_reader {
  streamem_ring *ring;
  char prefix[36];
  char name[64];  /* empty when opened by path */
  char path[512];
  uint64_t given;   /* sequence given last in this generation */
  uint64_t carried; /* frames of the generation before that nobody will get */
  uint64_t missed;  /* in all */
  uint64_t looked_ns;  /* whether the generation is over */
  uint64_t cleared_ns; /* all that makes the descriptor readable */
  int32_t started; /* a frame was given, in this generation or before */
  /* the copies that streamem_stack keeps */
  uint8_t *history;
  uint64_t *history_sequences;
  uint64_t history_frame_bytes, history_next;
  uint32_t history_length, history_count;
  /* the descriptors behind streamem_fd */
  int32_t epoll_fd, timer_fd, bell_socket, event_fd;
  int32_t hurried;
  uint32_t event_serial; /* counts the descriptors that event_fd has been: their numbers come again */
  uint64_t timer_ns;
  struct streamem__ringer *ringer;
} streamem_reader;

static inline int streamem__bell_find(streamem_reader *reader, streamem__bell_offer *offer) {
  char folder[400], path[512];
  const char *wake = reader->ring ? streamem__json_member((const char *)reader->ring->base + reader->ring->descriptor_offset, reader->ring->descriptor_bytes, "wake") : NULL;
  const char *own = getenv("STREAMEM_DIR");
  if (wake && *wake == '"' && !(own && *own)) {
    size_t n = 0;
    const char *end = (const char *)reader->ring->base + reader->ring->descriptor_offset + reader->ring->descriptor_bytes;
    for (wake++; wake < end && *wake != '"' && *wake != '\\' && n + 1 < sizeof path; wake++) path[n++] = *wake;
    path[n] = 0;
    int fd = streamem__bell_connect(path, offer);
    if (fd >= 0) return fd;
  }
  if (!reader->name[0]) return -ENOENT;
  int result = -ENOENT;
  for (int which = 0; streamem__bell_folder(which, 0, folder, sizeof folder); which++) {
    if (!folder[0] || snprintf(path, sizeof path, "%s/%s.%s.sock", folder, reader->prefix, reader->name) >= (int)sizeof path) continue;
    result = streamem__bell_connect(path, offer);
    if (result >= 0) return result;
  }
  return result;
}

/* Opens what now stands under the name; -EALREADY if that is still the generation the reader has. */
static inline int streamem__open_ring(streamem_reader *reader, streamem_ring **out, streamem_error *error) {
  uint8_t generation[16];
  int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  int failed = errno;
  if (fd < 0 && reader->name[0]) { /* no shared /dev/shm: a container that sees only the doorbell's folder */
    streamem__bell_offer offer;
    int bell = streamem__bell_find(reader, &offer);
    if (bell >= 0) {
      close(bell);
      close(offer.event_fd);
      fd = offer.ring_fd;
    }
  }
  if (fd < 0) return STREAMEM__FAIL(error, failed, "%.200s: %s%s", reader->path, strerror(failed),
                                    failed == ENOENT ? " (is its writer running? `ls /dev/shm` shows what there is)"
                                    : failed == EACCES ? " (the stream belongs to another user; the hub's `group` setting shares it)" : "");
  if (reader->ring && pread(fd, generation, 16, 24) == 16 && memcmp(generation, reader->ring->generation, 16) == 0) {
    close(fd);
    return -EALREADY;
  }
  return streamem__ring_from_fd(out, fd, reader->path, error);
}

static inline void streamem__fd_attach(streamem_reader *reader);
static inline void streamem__fd_detach(streamem_reader *reader);
static inline void streamem__fd_hurry(streamem_reader *reader);

static inline int streamem__retired(const streamem_ring *ring) {
  return (STREAMEM_LOAD_ACQUIRE(&streamem__header(ring)->flags) & STREAMEM_FLAG_RETIRED) != 0;
}

#define STREAMEM__WHATEVER_IS_LEFT (~0ull)

/* Goes on to the successor if this generation is over and there is one. Looks at most every 500 ms, every
 * 2 ms once it is retired. `drained` is the newest sequence that the caller has dealt with: what was published
 * between his look and the end comes first. 1 when there is something to look at. */
static inline int streamem__follow(streamem_reader *reader, uint64_t drained) {
  uint64_t now = streamem_now_ns();
  streamem_ring *ring = reader->ring, *next = NULL;
  int retired = streamem__retired(ring);
  if (now - reader->looked_ns < (retired ? STREAMEM_POLL_INTERVAL_NS : STREAMEM_WAIT_SLICE_NS)) return 0;
  reader->looked_ns = now;
  struct stat status;
  if (!retired && fstat(ring->fd, &status) == 0 && status.st_nlink > 0 && streamem_lock_held(ring->fd)) return 0;
  if (streamem__open_ring(reader, &next, NULL) < 0) {
    if (retired) streamem__fd_hurry(reader);
    return 0;
  }
  uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(ring)->latest); /* for good: its writer is gone */
  if (drained != STREAMEM__WHATEVER_IS_LEFT && newest != drained) {
    streamem_ring_release(next);
    return 1;
  }
  if (reader->started) reader->carried += newest - reader->given;
  reader->given = 0;
  reader->history_count = 0; /* one stack never mixes two generations */
  streamem__fd_detach(reader);
  streamem_ring_release(ring);
  reader->ring = next;
  streamem__fd_attach(reader);
  return 1;
}

static inline void streamem__history_push(streamem_reader *reader, const streamem_frame *frame) {
  if (frame->payload_bytes != reader->history_frame_bytes) return;
  uint64_t at = reader->history_next % reader->history_length;
  if (streamem_copy(frame, reader->history + at * reader->history_frame_bytes, reader->history_frame_bytes) < 0) return;
  reader->history_sequences[at] = frame->sequence;
  reader->history_next++;
  if (reader->history_count < reader->history_length) reader->history_count++;
}

static inline int streamem__give(streamem_reader *reader, streamem_frame *frame) {
  if (frame->sequence <= reader->given) return STREAMEM_FRAME; /* latest() may repeat */
  frame->missed = reader->started ? frame->sequence - reader->given - 1 + reader->carried : 0;
  reader->carried = 0;
  reader->started = 1;
  reader->given = frame->sequence;
  reader->missed += frame->missed;
  if (reader->history_length) streamem__history_push(reader, frame);
  return STREAMEM_FRAME;
}

STREAMEM_API void streamem_reader_close(streamem_reader *reader) {
  if (!reader) return;
  streamem__fd_detach(reader);
  if (reader->epoll_fd >= 0) close(reader->epoll_fd);
  if (reader->timer_fd >= 0) close(reader->timer_fd);
  streamem_ring_release(reader->ring);
  free(reader->history);
  free(reader->history_sequences);
  free(reader);
}

/** Opens a stream by name (prefix NULL: $STREAMEM_PREFIX, else "streamem") or, if it contains a slash, by path.
 *  Waits for it up to timeout_ms, negative for ever. -ENOENT not there, -EBADMSG no ring or a damaged one,
 *  -EPROTO another major version, -EACCES not ours. */
STREAMEM_API int streamem_open(streamem_reader **out, const char *prefix, const char *name, int64_t timeout_ms, streamem_error *error) {
  uint64_t start = streamem_now_ns();
  streamem_reader *reader = (streamem_reader *)calloc(1, sizeof *reader);
  *out = NULL;
  if (!reader) return STREAMEM__FAIL(error, ENOMEM, "no memory for a reader");
  reader->epoll_fd = reader->timer_fd = reader->bell_socket = reader->event_fd = -1;
  int result = 0;
  prefix = streamem__prefix(prefix);
  if (name && strchr(name, '/')) {
    if (snprintf(reader->path, sizeof reader->path, "%s", name) >= (int)sizeof reader->path)
      result = STREAMEM__FAIL(error, ENAMETOOLONG, "path longer than %d bytes: %.60s...", (int)sizeof reader->path - 1, name);
  } else if ((result = streamem__check_names(prefix, name, error)) == 0) {
    strcpy(reader->prefix, prefix);
    strcpy(reader->name, name);
    snprintf(reader->path, sizeof reader->path, "/dev/shm/%s.%s", prefix, name);
  }
  while (result == 0) {
    result = streamem__open_ring(reader, &reader->ring, error);
    if (result == 0 || (timeout_ms >= 0 && streamem_now_ns() - start >= (uint64_t)timeout_ms * 1000000ull)) break;
    if (result == -ENOENT) result = 0; /* all else does not mend itself */
    streamem__sleep_ns(5 * STREAMEM_POLL_INTERVAL_NS);
  }
  if (result < 0) {
    streamem_reader_close(reader);
    return result;
  }
  reader->looked_ns = streamem_now_ns();
  *out = reader;
  return 0;
}

static inline void streamem__fd_clear(streamem_reader *reader);

/** The newest frame; never waits, may repeat. STREAMEM_FRAME, STREAMEM_NONE, STREAMEM_LAPPED. */
STREAMEM_API int streamem_latest(streamem_reader *reader, streamem_frame *frame) {
  streamem__fd_clear(reader);
  streamem__follow(reader, STREAMEM__WHATEVER_IS_LEFT);
  int result = streamem__read_newest(reader->ring, frame);
  return result == STREAMEM_FRAME ? streamem__give(reader, frame) : result;
}

/* Sleeps until the wake word leaves `seen`, at most a slice. 0 when the deadline has passed. */
static inline int streamem__wait(streamem_reader *reader, uint32_t seen, uint64_t deadline_ns) {
  uint64_t now = streamem_now_ns();
  if (now >= deadline_ns) return 0;
  uint64_t slice = STREAMEM_WAIT_SLICE_NS;
  if (streamem__retired(reader->ring)) slice = 5 * STREAMEM_POLL_INTERVAL_NS; /* the successor comes in milliseconds */
  if (slice > deadline_ns - now) slice = deadline_ns - now;
  if (reader->ring->wake_mode != STREAMEM_WAKE_FUTEX) slice = STREAMEM_POLL_INTERVAL_NS;
  if (reader->ring->wake_mode != STREAMEM_WAKE_FUTEX || streamem__retired(reader->ring)) streamem__sleep_ns(slice);
  else streamem__futex_wait(&streamem__header(reader->ring)->wake, seen, slice);
  return 1;
}

static inline uint64_t streamem__deadline(int64_t timeout_ms) {
  return timeout_ms < 0 ? ~0ull : streamem_now_ns() + (uint64_t)timeout_ms * 1000000ull;
}

static inline int streamem__take(streamem_reader *reader, streamem_frame *frame, int64_t timeout_ms, int in_order) {
  uint64_t deadline = streamem__deadline(timeout_ms);
  streamem__fd_clear(reader);
  for (;;) {
    const streamem_segment_header *header = streamem__header(reader->ring);
    uint32_t seen = STREAMEM_LOAD_ACQUIRE(&header->wake); /* (E) before latest, or a frame between the two is slept through */
    uint64_t newest = STREAMEM_LOAD_ACQUIRE(&header->latest);
    if (newest > reader->given) {
      uint64_t after = reader->given + 1;
      if (in_order && reader->started && newest - after < reader->ring->slot_count - 1 && streamem__read(reader->ring, after, frame))
        return streamem__give(reader, frame);
      int result = streamem__read_newest(reader->ring, frame);
      if (result == STREAMEM_FRAME) return streamem__give(reader, frame);
      if (timeout_ms == 0) return result;
    }
    if (streamem__follow(reader, newest)) continue;
    if (!streamem__wait(reader, seen, deadline)) return STREAMEM_NONE;
  }
}

/** The newest frame not given yet; waits for it up to timeout_ms, negative for ever. */
STREAMEM_API int streamem_newest(streamem_reader *reader, streamem_frame *frame, int64_t timeout_ms) {
  streamem__follow(reader, STREAMEM__WHATEVER_IS_LEFT);
  return streamem__take(reader, frame, timeout_ms, 0);
}

/** The frame after the one given last (the first time: the newest). When the writer has overtaken this reader
 *  it goes on at the newest; frame->missed counts the rest. What is left of an ended generation comes first. */
STREAMEM_API int streamem_next(streamem_reader *reader, streamem_frame *frame, int64_t timeout_ms) {
  return streamem__take(reader, frame, timeout_ms, 1);
}

/** The newest n frames still in the ring, oldest first, into frames[n]. Returns how many; -ERANGE when n is
 *  more than slot_count - 1, the readable window (the stream's `slots` setting). */
STREAMEM_API int streamem_last(streamem_reader *reader, streamem_frame *frames, uint32_t n) {
  if (n == 0 || n > reader->ring->slot_count - 1) return -ERANGE;
  streamem__follow(reader, STREAMEM__WHATEVER_IS_LEFT);
  if (n > reader->ring->slot_count - 1) return -ERANGE; /* the successor has fewer */
  uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(reader->ring)->latest);
  int count = 0; /* s != 0 below: a damaged `latest` of all ones must not make the loop endless */
  for (uint64_t s = newest >= n ? newest - n + 1 : 1; s != 0 && s <= newest; s++)
    count += streamem__read(reader->ring, s, &frames[count]);
  return count;
}

/** The frame whose capture time is nearest to time_ns (CLOCK_MONOTONIC). Frames without one do not count. */
STREAMEM_API int streamem_nearest(streamem_reader *reader, uint64_t time_ns, streamem_frame *frame) {
  streamem__follow(reader, STREAMEM__WHATEVER_IS_LEFT);
  for (int attempt = 0; attempt < STREAMEM_RETRIES_MAX; attempt++) {
    uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(reader->ring)->latest), best = 0, distance = ~0ull;
    uint64_t window = reader->ring->slot_count - 1;
    for (uint64_t s = newest > window ? newest - window + 1 : 1; s != 0 && s <= newest; s++) {
      if (!streamem__read(reader->ring, s, frame) || frame->capture_time_ns == STREAMEM_UNKNOWN) continue;
      uint64_t d = frame->capture_time_ns > time_ns ? frame->capture_time_ns - time_ns : time_ns - frame->capture_time_ns;
      if (d <= distance) { distance = d; best = s; } /* of two as near, the newer */
    }
    if (best == 0) return STREAMEM_NONE;
    if (streamem__read(reader->ring, best, frame)) return STREAMEM_FRAME;
  }
  return STREAMEM_LAPPED;
}

static inline int streamem__history_start(streamem_reader *reader, uint32_t n, uint64_t frame_bytes) {
  streamem_frame frame;
  if (frame_bytes && n > ((size_t)-1) / 2 / frame_bytes) return -ENOMEM;
  uint8_t *frames = (uint8_t *)malloc((size_t)n * frame_bytes + 1);
  uint64_t *sequences = (uint64_t *)malloc((size_t)n * sizeof *sequences);
  if (!frames || !sequences) {
    free(frames);
    free(sequences);
    return -ENOMEM;
  }
  free(reader->history);
  free(reader->history_sequences);
  reader->history = frames;
  reader->history_sequences = sequences;
  reader->history_length = n;
  reader->history_frame_bytes = frame_bytes;
  reader->history_count = 0;
  reader->history_next = 0;
  uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(reader->ring)->latest);
  uint64_t window = reader->ring->slot_count - 1 < n ? reader->ring->slot_count - 1 : n;
  for (uint64_t s = newest > window ? newest - window + 1 : 1; s != 0 && s <= newest; s++) {
    if (!streamem__read(reader->ring, s, &frame)) continue;
    if (s > reader->given) streamem__give(reader, &frame);
    else streamem__history_push(reader, &frame);
  }
  return 0;
}

/** The newest n frames that this reader has taken, as one array of n * frame_bytes bytes, oldest first, every copy
 *  checked; sequences[n] says which. Takes the newest frame. The first call fills from the ring as far as the
 *  ring goes (slot_count - 1); beyond that it fills as frames are taken. Returns how many, or -ENOMEM, -EINVAL. */
STREAMEM_API int streamem_stack(streamem_reader *reader, uint32_t n, uint64_t frame_bytes, void *out, uint64_t *sequences) {
  streamem_frame frame;
  if (n == 0 || frame_bytes > reader->ring->payload_capacity) return -EINVAL;
  streamem__follow(reader, STREAMEM__WHATEVER_IS_LEFT);
  if (n > reader->history_length || frame_bytes != reader->history_frame_bytes) {
    int result = streamem__history_start(reader, n, frame_bytes);
    if (result < 0) return result;
  } else {
    streamem_latest(reader, &frame);
  }
  uint32_t count = reader->history_count < n ? reader->history_count : n;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t at = (reader->history_next - count + i) % reader->history_length;
    memcpy((uint8_t *)out + i * frame_bytes, reader->history + at * frame_bytes, frame_bytes);
    if (sequences) sequences[i] = reader->history_sequences[at];
  }
  return (int)count;
}

#define STREAMEM_LIVE 0
#define STREAMEM_STALLED 1 /* alive, but later than max(2 s, 5 periods) of the nominal rate */
#define STREAMEM_DEAD 2    /* its writer is gone without a word */
#define STREAMEM_RETIRED 3 /* its writer ended it, and no successor is there yet */

STREAMEM_API int streamem_state(streamem_reader *reader) {
  streamem__follow(reader, reader->started ? reader->given : STREAMEM__WHATEVER_IS_LEFT); /* asking must not cost a frame */
  streamem_ring *ring = reader->ring;
  streamem_frame frame;
  frame.publish_time_ns = 0;
  if (streamem__retired(ring)) return STREAMEM_RETIRED;
  if (!streamem_lock_held(ring->fd)) return STREAMEM_DEAD;
  if (ring->rate <= 0) return STREAMEM_LIVE;
  uint64_t limit = 5e9 / ring->rate > 2e9 ? (uint64_t)(5e9 / ring->rate) : 2000000000ull;
  int result = streamem__read_newest(ring, &frame);
  uint64_t now = result == STREAMEM_NONE ? streamem_clock_ns(CLOCK_REALTIME) : streamem_now_ns();
  uint64_t last = result == STREAMEM_NONE ? ring->writer_start_utc_ns : frame.publish_time_ns;
  return result != STREAMEM_LAPPED && now > last && now - last > limit ? STREAMEM_STALLED : STREAMEM_LIVE;
}

/** The JSON descriptor of the generation being read: not terminated, valid as long as its ring is. Returns its bytes. */
STREAMEM_API uint32_t streamem_descriptor(const streamem_reader *reader, const char **json) {
  *json = (const char *)reader->ring->base + reader->ring->descriptor_offset;
  return reader->ring->descriptor_bytes;
}

/* ---- One descriptor for epoll, poll and select. ------------------------------------------------------ */

/* Without a doorbell a thread waits on the futex and writes into a pipe. It has a mapping of its own, so the
 * reader may let go of the ring at any time. */
typedef struct streamem__ringer {
  pthread_t thread;
  const streamem_segment_header *header;
  uint32_t seen;
  int32_t pipe_fd;
  int32_t stop, stopped;
} streamem__ringer;

static inline void *streamem__ringer_run(void *argument) {
  streamem__ringer *ringer = (streamem__ringer *)argument;
  uint32_t seen = ringer->seen;
  while (!STREAMEM_LOAD_ACQUIRE((uint32_t *)&ringer->stop)) {
    streamem__futex_wait(&ringer->header->wake, seen, STREAMEM_WAIT_SLICE_NS);
    uint32_t now = STREAMEM_LOAD_ACQUIRE(&ringer->header->wake);
    if (now != seen && write(ringer->pipe_fd, "", 1) < 0 && errno != EAGAIN && errno != EINTR) break;
    seen = now;
  }
  STREAMEM_STORE_RELEASE((uint32_t *)&ringer->stopped, 1);
  return NULL;
}

static inline int streamem__ringer_start(streamem_reader *reader) {
  int ends[2];
  void *page = mmap(NULL, STREAMEM_PAGE_BYTES, PROT_READ, MAP_SHARED, reader->ring->fd, 0);
  streamem__ringer *ringer = (streamem__ringer *)calloc(1, sizeof *ringer);
  if (page == MAP_FAILED || !ringer || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    if (page != MAP_FAILED) munmap(page, STREAMEM_PAGE_BYTES);
    free(ringer);
    return -ENOMEM;
  }
  ringer->header = (const streamem_segment_header *)page;
  ringer->pipe_fd = ends[1];
  ringer->seen = STREAMEM_LOAD_ACQUIRE(&ringer->header->wake); /* here: until the thread runs, a frame may come */
  if (pthread_create(&ringer->thread, NULL, streamem__ringer_run, ringer) != 0) {
    munmap(page, STREAMEM_PAGE_BYTES);
    close(ends[0]);
    close(ends[1]);
    free(ringer);
    return -EAGAIN;
  }
  reader->ringer = ringer;
  reader->event_fd = ends[0];
  reader->event_serial++;
  return 0;
}

static inline void streamem__ringer_stop(streamem__ringer *ringer) {
  STREAMEM_STORE_RELEASE((uint32_t *)&ringer->stop, 1);
  for (;;) { /* it may be on its way into the futex, where this wake-up would miss it */
    streamem__futex_wake(&ringer->header->wake); /* a read-only page is enough; others take it as a hint */
    if (STREAMEM_LOAD_ACQUIRE((uint32_t *)&ringer->stopped)) break;
    streamem__sleep_ns(50000);
  }
  pthread_join(ringer->thread, NULL);
  munmap((void *)ringer->header, STREAMEM_PAGE_BYTES);
  close(ringer->pipe_fd);
  free(ringer);
}

static inline void streamem__epoll_add(int epoll_fd, int fd) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = EPOLLIN;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static inline void streamem__fd_timer(streamem_reader *reader, uint64_t ns) {
  struct itimerspec every;
  memset(&every, 0, sizeof every);
  every.it_value.tv_nsec = every.it_interval.tv_nsec = (long)ns;
  timerfd_settime(reader->timer_fd, 0, &every, NULL);
  reader->timer_ns = ns;
}

/* The generation is over: its successor is mostly a moment away, so look soon, then ever more seldom. */
static inline void streamem__fd_hurry(streamem_reader *reader) {
  if (reader->epoll_fd < 0 || reader->hurried || reader->ring->wake_mode != STREAMEM_WAKE_FUTEX) return;
  reader->hurried = 1;
  streamem__fd_timer(reader, 2 * STREAMEM_POLL_INTERVAL_NS);
}

static inline void streamem__fd_attach(streamem_reader *reader) {
  if (reader->epoll_fd < 0) return;
  reader->hurried = 0;
  streamem__fd_timer(reader, reader->ring->wake_mode == STREAMEM_WAKE_FUTEX ? STREAMEM_WAIT_SLICE_NS : STREAMEM_POLL_INTERVAL_NS);
  if (reader->ring->wake_mode != STREAMEM_WAKE_FUTEX) return;
  streamem__bell_offer offer;
  int bell = streamem__bell_find(reader, &offer);
  if (bell >= 0) close(offer.ring_fd);
  if (bell >= 0 && memcmp(offer.generation, reader->ring->generation, 16) == 0) {
    reader->bell_socket = bell;
    reader->event_fd = offer.event_fd;
    reader->event_serial++;
    streamem__epoll_add(reader->epoll_fd, bell);
  } else {
    if (bell >= 0) { /* a successor's: it says nothing of this ring, and the next look goes on to it */
      close(bell);
      close(offer.event_fd);
      reader->looked_ns = 0;
    }
    streamem__ringer_start(reader); /* should that fail too, the timer is left: late, never deaf */
  }
  if (reader->event_fd >= 0) streamem__epoll_add(reader->epoll_fd, reader->event_fd);
}

/* Out of the epoll first: were there a duplicate of the descriptor, closing it would leave it in. */
static inline void streamem__epoll_close(streamem_reader *reader, int32_t *fd) {
  if (*fd < 0) return;
  epoll_ctl(reader->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
  close(*fd);
  *fd = -1;
}

static inline void streamem__fd_detach(streamem_reader *reader) {
  if (reader->ringer) streamem__ringer_stop(reader->ringer);
  reader->ringer = NULL;
  streamem__epoll_close(reader, &reader->bell_socket);
  streamem__epoll_close(reader, &reader->event_fd);
}

/* Makes the descriptor unreadable before the ring is looked at: what comes later makes it readable again. One system call
 * a frame: timer and hang-up are looked at when nothing was rung, and once a period of the timer in any case. */
static inline void streamem__fd_clear(streamem_reader *reader) {
  char bytes[64];
  ssize_t got = 0;
  int rung = 0;
  if (reader->epoll_fd < 0) return;
  while (reader->event_fd >= 0 && (got = read(reader->event_fd, bytes, sizeof bytes)) > 0) {
    rung = 1;
    if (got < (ssize_t)sizeof bytes) break; /* an eventfd gives 8 */
  }
  uint64_t now = streamem_now_ns();
  if (rung && now - reader->cleared_ns < reader->timer_ns) return;
  reader->cleared_ns = now;
  while (read(reader->timer_fd, bytes, 8) > 0)
    if (reader->hurried && reader->timer_ns * 2 <= STREAMEM_WAIT_SLICE_NS) streamem__fd_timer(reader, reader->timer_ns * 2);
  if (reader->bell_socket >= 0 && recv(reader->bell_socket, bytes, 1, MSG_DONTWAIT) == 0) {
    streamem__epoll_close(reader, &reader->bell_socket); /* the generation has ended or its writer died; left open it would spin */
    streamem__epoll_close(reader, &reader->event_fd);
    if (streamem__ringer_start(reader) == 0) streamem__epoll_add(reader->epoll_fd, reader->event_fd); /* for its last wake-up */
    streamem__fd_hurry(reader);
    reader->looked_ns = 0;
  }
}

/** A descriptor that becomes readable when there is something to look at: add it to epoll, poll, select once, it
 *  stays the same for the reader's life. Then call latest, newest or next with timeout 0, which clear it. It is also
 *  readable twice a second for nothing, so that a dead writer and its successor are noticed. -errno on failure. */
STREAMEM_API int streamem_fd(streamem_reader *reader) {
  if (reader->epoll_fd >= 0) return reader->epoll_fd;
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0) return -errno;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    close(timer);
    return -errno;
  }
  reader->timer_fd = timer;
  reader->epoll_fd = epoll;
  streamem__epoll_add(epoll, timer);
  streamem__fd_attach(reader);
  return epoll;
}

/* ---- A writer: one per name. ------------------------------------------------------------------------- */

/** What a new ring is made of. */
typedef struct streamem_spec {
  const char *prefix;        /* NULL: $STREAMEM_PREFIX, else "streamem" */
  const char *name;          /* of the stream */
  const char *descriptor;    /* JSON object; name, wake and shm are added here */
  const char *wake_path;     /* doorbell socket, NULL where there is none */
  uint64_t payload_capacity; /* bytes of the largest frame */
  uint32_t fields_capacity;  /* bytes of per-frame metadata, at most 65536 */
  uint32_t slot_count;       /* 4 to 65536 */
  uint32_t group;            /* gid that may read, (uint32_t)-1 for none */
  uint32_t reserved;
} streamem_spec;

/** What the writer says about one frame. shape: entries are used up to `dimensions`, 0 means the descriptor's shape. */
typedef struct streamem_meta {
  uint64_t device_time, capture_time_ns, time_error_ns; /* STREAMEM_UNKNOWN where not known */
  uint32_t clock_epoch;
  uint32_t fields_bytes;
  uint32_t dimensions;
  uint32_t shape[8];
  uint32_t reserved;
} streamem_meta;

typedef struct streamem_writer {
  uint8_t *base;
  uint64_t total_bytes, slots_offset, slot_stride, payload_capacity;
  uint32_t slot_count, fields_offset, fields_capacity, payload_offset;
  uint64_t sequence; /* newest published */
  uint64_t writing;  /* acquired and not committed, else 0 */
  int32_t lock_fd, ring_fd;
  int32_t forked;    /* this is a child's copy: it owns nothing */
  int32_t name_gone; /* somebody removed the file: the next publish says -ESTALE, then streamem_renew */
  uint8_t generation[16];
  char prefix[36];
  char name[64];
  struct streamem_writer *next_of_process;
} streamem_writer;

static streamem_writer *streamem__writers;
static pthread_mutex_t streamem__writers_mutex = PTHREAD_MUTEX_INITIALIZER;

/* A child inherits the locks: were it to keep them, a dead writer would look alive for as long as it runs. A mapping
 * keeps the lock as its descriptor does, so the child has none (MADV_DONTFORK). */
static void streamem__after_fork(void) {
  for (streamem_writer *w = streamem__writers; w; w = w->next_of_process) {
    close(w->lock_fd);
    close(w->ring_fd);
    w->lock_fd = w->ring_fd = -1;
    w->base = NULL;
    w->forked = 1;
  }
}

static inline void streamem__writers_add(streamem_writer *writer) {
  static int registered;
  pthread_mutex_lock(&streamem__writers_mutex);
  if (!registered) registered = pthread_atfork(NULL, NULL, streamem__after_fork) == 0;
  writer->next_of_process = streamem__writers;
  streamem__writers = writer;
  pthread_mutex_unlock(&streamem__writers_mutex);
}

static inline void streamem__writers_remove(streamem_writer *writer) {
  pthread_mutex_lock(&streamem__writers_mutex);
  streamem_writer **at = &streamem__writers;
  while (*at && *at != writer) at = &(*at)->next_of_process;
  if (*at) *at = writer->next_of_process;
  pthread_mutex_unlock(&streamem__writers_mutex);
}

static inline void streamem__ring_path(char *out, size_t bytes, const char *prefix, const char *name) {
  snprintf(out, bytes, "/dev/shm/%s.%s", prefix, name);
}

static inline void streamem__lock_path(char *out, size_t bytes, const char *prefix, const char *name) {
  snprintf(out, bytes, "/dev/shm/.%s.%s.lock", prefix, name);
}

static inline int streamem__same_file(int fd, const char *path) {
  struct stat a, b;
  return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* The lock file is 0600 whatever the ring's mode: a reader of another uid that could open it could hold a read
 * lock on it and so keep every successor out. */
static inline int streamem__lock_take(const char *prefix, const char *name, streamem_error *error) {
  char path[160], ring_path[160];
  streamem__lock_path(path, sizeof path, prefix, name);
  streamem__ring_path(ring_path, sizeof ring_path, prefix, name);
  for (int attempt = 0; attempt < 100; attempt++) {
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return STREAMEM__FAIL(error, errno, "%s: cannot open the stream's lock: %s", path, strerror(errno));
    short type = F_WRLCK;
    if (streamem__ofd_lock(fd, F_OFD_SETLK, &type) == 0) {
      if (streamem__same_file(fd, path)) { /* else its last owner unlinked it while we waited */
        int ring = open(ring_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        int held = ring >= 0 && streamem_lock_held(ring); /* the lock file was removed under a live writer */
        if (ring >= 0) close(ring);
        if (!held) return fd;
      }
    }
    close(fd);
    streamem__sleep_ns(10000000);
  }
  return STREAMEM__FAIL(error, EBUSY, "stream \"%s\" (prefix \"%s\") has a writer already: end that one, or choose another name", name, prefix);
}

/* What writers killed between creating and renaming have left. Only under the lock. */
static inline void streamem__sweep_temporaries(const char *prefix, const char *name) {
  char start[128], path[400];
  int start_bytes = snprintf(start, sizeof start, ".%s.%s.", prefix, name);
  DIR *folder = opendir("/dev/shm");
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));) {
    const char *rest = entry->d_name + start_bytes;
    if (strncmp(entry->d_name, start, (size_t)start_bytes) != 0) continue;
    if (strlen(rest) != 16 || strspn(rest, "0123456789abcdef") != 16) continue;
    snprintf(path, sizeof path, "/dev/shm/%s", entry->d_name);
    unlink(path);
  }
  closedir(folder);
}

static inline uint64_t streamem__number_in(const char *path, const char *key) {
  char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return ~0ull;
  text[n] = 0;
  const char *at = text;
  if (key && (at = strstr(text, key)) == NULL) return 0;
  if (key) at += strlen(key);
  while (*at == ' ') at++;
  return *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : ~0ull; /* "max" */
}

/* What one cgroup still allows: its limit minus its use, page cache of files counted as free. */
static inline uint64_t streamem__cgroup_room(const char *folder, int v2) {
  char path[1200];
  snprintf(path, sizeof path, "%s/%s", folder, v2 ? "memory.max" : "memory.limit_in_bytes");
  uint64_t limit = streamem__number_in(path, NULL);
  if (limit >= 1ull << 60) return ~0ull; /* none, or v1's way of saying none */
  snprintf(path, sizeof path, "%s/%s", folder, v2 ? "memory.current" : "memory.usage_in_bytes");
  uint64_t used = streamem__number_in(path, NULL);
  snprintf(path, sizeof path, "%s/memory.stat", folder);
  uint64_t cache = streamem__number_in(path, v2 ? "\ninactive_file " : "\ntotal_inactive_file ");
  cache = cache == ~0ull ? 0 : cache;
  if (used == ~0ull) return ~0ull;
  return limit + cache > used ? limit + cache - used : 0;
}

/* The tightest limit from this process's memory cgroup up to the root. A fallocate beyond it is answered with
 * SIGKILL, not with an error, so it is asked before. In a container the path may not exist below the mount:
 * then the mount's own root counts. */
static inline uint64_t streamem__memory_room(void) {
  char line[1024], folder[1100];
  uint64_t room = ~0ull;
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (!file) return room;
  while (fgets(line, sizeof line, file)) {
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    path[strcspn(path, "\n")] = 0;
    int v2 = controllers[1] == 0;
    if (!v2 && !strstr(controllers, "memory")) continue;
    for (;;) {
      snprintf(folder, sizeof folder, "/sys/fs/cgroup%s%s", v2 ? "" : "/memory", path);
      uint64_t here = streamem__cgroup_room(folder, v2);
      if (here < room) room = here;
      char *slash = strrchr(path, '/');
      if (!slash || path[0] == 0) break;
      *slash = 0;
    }
  }
  fclose(file);
  return room;
}

/** Bytes that a new ring may take now: the lesser of what /dev/shm has free and what the cgroup still allows. */
STREAMEM_API uint64_t streamem_room(void) {
  struct statvfs fs;
  uint64_t memory = streamem__memory_room();
  if (memory != ~0ull) { /* the cgroup also pays for page tables and the kernel's index of the pages, 1/256 of the ring */
    uint64_t reserve = (1ull << 20) + memory / 128;
    memory = memory > reserve ? memory - reserve : 0;
  }
  uint64_t shm = statvfs("/dev/shm", &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
  return shm < memory ? shm : memory;
}

/** Sets RETIRED in the ring behind fd (opened read-write) and wakes its readers. By pwrite: whoever owns the file may
 *  shrink it, and a mapping would end us. The page mapped for the wake is never touched by us. */
STREAMEM_API int streamem_retire_fd(int fd) {
  uint32_t word;
  if (pread(fd, &word, 4, offsetof(streamem_segment_header, flags)) != 4) return -EBADMSG;
  word |= STREAMEM_FLAG_RETIRED;
  if (pwrite(fd, &word, 4, offsetof(streamem_segment_header, flags)) != 4) return -errno;
  if (pread(fd, &word, 4, offsetof(streamem_segment_header, wake)) != 4) return -EBADMSG;
  word++;
  if (pwrite(fd, &word, 4, offsetof(streamem_segment_header, wake)) != 4) return -errno;
  const uint8_t *page = (const uint8_t *)mmap(NULL, STREAMEM_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return -errno;
  streamem__futex_wake((const uint32_t *)(const void *)(page + offsetof(streamem_segment_header, wake)));
  munmap((void *)page, STREAMEM_PAGE_BYTES);
  return 0;
}

/* Retires what stands under the name. Only under the lock; what is not ours or no file is refused. */
static inline int streamem__retire_old(const char *path, streamem_error *error) {
  struct stat status;
  int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? 0 : STREAMEM__FAIL(error, errno, "%s is in the way: %s", path, strerror(errno));
  int result = 0;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid())
    result = STREAMEM__FAIL(error, EPERM, "%s is in the way: it is not a file of this user; its owner must remove it", path);
  else streamem_retire_fd(fd); /* too short to hold a header: nobody reads it, the rename replaces it */
  close(fd);
  return result;
}

static inline int streamem__hex(char *out, const uint8_t *bytes, int count) {
  for (int i = 0; i < count; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
  return 2 * count;
}

/* The producer's JSON with name, wake and shm added. Bytes written, or -EINVAL, -E2BIG. */
static inline int64_t streamem__finish_descriptor(char *out, size_t out_bytes, const streamem_spec *spec, const streamem_writer *w) {
  char generation[33], wake[256];
  size_t n = spec->descriptor ? strlen(spec->descriptor) : 0;
  while (n && strchr(" \n\r\t", spec->descriptor[n - 1])) n--;
  if (n < 2 || spec->descriptor[0] != '{' || spec->descriptor[n - 1] != '}') return -EINVAL;
  n--;
  size_t members = strspn(spec->descriptor + 1, " \n\r\t") + 1;
  if (spec->wake_path && strpbrk(spec->wake_path, "\"\\\n\t")) return -EINVAL;
  snprintf(wake, sizeof wake, spec->wake_path ? "\"%s\"" : "null", spec->wake_path);
  streamem__hex(generation, w->generation, 16);
  int length = snprintf(out, out_bytes,
                        "%.*s%s\"name\":\"%s\",\"wake\":%s,\"shm\":{\"object\":\"/%s.%s\",\"path\":\"/dev/shm/%s.%s\",\"generation\":\"%s\","
                        "\"slotCount\":%u,\"slotStride\":%llu,\"payloadCapacity\":%llu}}",
                        (int)n, spec->descriptor, members < n ? "," : "", w->name, wake, w->prefix, w->name, w->prefix, w->name,
                        generation, w->slot_count, (unsigned long long)w->slot_stride, (unsigned long long)w->payload_capacity);
  return length < 0 || (size_t)length >= out_bytes ? -E2BIG : length;
}

static inline uint64_t streamem__round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

static inline int streamem__plan(streamem_writer *w, const streamem_spec *spec, uint32_t *descriptor_bytes, char *descriptor, streamem_error *error) {
  if (spec->slot_count < STREAMEM_SLOTS_MIN || spec->slot_count > STREAMEM_SLOTS_MAX)
    return STREAMEM__FAIL(error, EINVAL, "stream \"%s\": slots is %u, allowed are %u to %u", w->name, spec->slot_count, STREAMEM_SLOTS_MIN, STREAMEM_SLOTS_MAX);
  if (spec->fields_capacity > STREAMEM_FIELDS_BYTES_MAX)
    return STREAMEM__FAIL(error, EINVAL, "stream \"%s\": %u bytes of fields, at most %u are allowed", w->name, spec->fields_capacity, STREAMEM_FIELDS_BYTES_MAX);
  if (spec->payload_capacity == 0 || spec->payload_capacity > 1ull << 40)
    return STREAMEM__FAIL(error, EINVAL, "stream \"%s\": payload capacity %llu, allowed are 1 byte to 1 TiB", w->name, (unsigned long long)spec->payload_capacity);
  uint64_t unit = spec->payload_capacity >= STREAMEM_PAGE_BYTES ? STREAMEM_PAGE_BYTES : STREAMEM_ALIGNMENT;
  w->slot_count = spec->slot_count;
  w->payload_capacity = spec->payload_capacity;
  w->fields_capacity = (uint32_t)streamem__round_up(spec->fields_capacity, 8);
  w->fields_offset = sizeof(streamem_slot_header);
  w->payload_offset = (uint32_t)streamem__round_up(w->fields_offset + w->fields_capacity, unit);
  w->slot_stride = streamem__round_up(w->payload_offset + w->payload_capacity, unit);
  if (getrandom(w->generation, 16, 0) != 16) return STREAMEM__FAIL(error, EIO, "getrandom failed");
  int64_t length = streamem__finish_descriptor(descriptor, STREAMEM_DESCRIPTOR_BYTES_MAX, spec, w);
  if (length < 0)
    return STREAMEM__FAIL(error, (int)-length, "stream \"%s\": the descriptor must be a JSON object of less than 64 KiB, the doorbell's path without quotes", w->name);
  *descriptor_bytes = (uint32_t)length;
  w->slots_offset = streamem__round_up(sizeof(streamem_segment_header) + *descriptor_bytes, STREAMEM_PAGE_BYTES);
  w->total_bytes = w->slots_offset + w->slot_count * w->slot_stride;
  return 0;
}

/* A locked, allocated, empty file under a temporary name. -ENOSPC with needed and available bytes. */
static inline int streamem__allocate(streamem_writer *w, char *path, size_t path_bytes, streamem_error *error) {
  char random[17];
  uint8_t bytes[8];
  uint64_t room = streamem_room();
  if (w->total_bytes > room)
    return STREAMEM__FAIL(error, ENOSPC,
                          "stream \"%s\" needs %llu bytes of shared memory (%u slots), %llu are available in /dev/shm and under the memory limit: "
                          "lower `slots`, or enlarge them (docker: --shm-size, --memory)",
                          w->name, (unsigned long long)w->total_bytes, w->slot_count, (unsigned long long)room);
  if (getrandom(bytes, 8, 0) != 8) return STREAMEM__FAIL(error, EIO, "getrandom failed");
  streamem__hex(random, bytes, 8);
  snprintf(path, path_bytes, "/dev/shm/.%s.%s.%s", w->prefix, w->name, random);
  w->ring_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (w->ring_fd < 0) return STREAMEM__FAIL(error, errno, "%s: cannot create: %s", path, strerror(errno));
  short type = F_WRLCK;
  int failed = streamem__ofd_lock(w->ring_fd, F_OFD_SETLK, &type) == 0 ? 0 : errno; /* before anybody else may open it */
  while (!failed && (failed = posix_fallocate(w->ring_fd, 0, (off_t)w->total_bytes)) == EINTR) failed = 0;
  if (!failed) {
    w->base = (uint8_t *)mmap(NULL, w->total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, w->ring_fd, 0);
    if (w->base == MAP_FAILED) failed = errno;
  }
  if (!failed) {
    madvise(w->base, w->total_bytes, MADV_DONTFORK); /* see streamem__after_fork */
    if (madvise(w->base, w->total_bytes, MADV_POPULATE_WRITE) != 0) /* before Linux 5.14: by hand */
      for (uint64_t at = 0; at < w->total_bytes; at += STREAMEM_PAGE_BYTES) ((volatile uint8_t *)w->base)[at] = 0;
    return 0;
  }
  unlink(path);
  close(w->ring_fd);
  w->ring_fd = -1;
  w->base = NULL;
  return STREAMEM__FAIL(error, failed, "stream \"%s\": allocating %llu bytes of shared memory failed: %s; %llu were available", w->name,
                        (unsigned long long)w->total_bytes, strerror(failed), (unsigned long long)room);
}

static inline void streamem__write_header(streamem_writer *w, const char *descriptor, uint32_t descriptor_bytes) {
  streamem_segment_header *h = (streamem_segment_header *)(void *)w->base;
  h->major = STREAMEM_MAJOR;
  h->minor = STREAMEM_MINOR;
  h->header_bytes = sizeof *h;
  h->total_bytes = w->total_bytes;
  memcpy(h->generation, w->generation, 16);
  h->slots_offset = w->slots_offset;
  h->slot_stride = w->slot_stride;
  h->payload_capacity = w->payload_capacity;
  h->slot_count = w->slot_count;
  h->slot_header_bytes = sizeof(streamem_slot_header);
  h->fields_offset = w->fields_offset;
  h->fields_capacity = w->fields_capacity;
  h->payload_offset = w->payload_offset;
  h->descriptor_offset = sizeof *h;
  h->descriptor_bytes = descriptor_bytes;
  h->wake_mode = STREAMEM_WAKE_FUTEX;
  h->writer_pid = (uint32_t)getpid();
  h->writer_start_utc_ns = streamem_clock_ns(CLOCK_REALTIME);
  memcpy(w->base + sizeof *h, descriptor, descriptor_bytes);
  STREAMEM_FENCE_RELEASE();
  memcpy(h->magic, STREAMEM_MAGIC, 8); /* last: without it the rest counts for nothing */
}

static inline void streamem__retire_own(streamem_writer *w) {
  streamem_segment_header *h = (streamem_segment_header *)(void *)w->base;
  STREAMEM_STORE_RELEASE(&h->flags, h->flags | STREAMEM_FLAG_RETIRED);
  STREAMEM_STORE_RELEASE(&h->wake, h->wake + 1);
  streamem__futex_wake(&h->wake);
}

static inline void streamem__let_go(streamem_writer *w) {
  if (w->base) munmap(w->base, w->total_bytes);
  if (w->ring_fd >= 0) close(w->ring_fd);
  w->base = NULL;
  w->ring_fd = -1;
}

/* Makes a new generation and puts it under the name, under the lock. `old` is this writer's own generation
 * before, or NULL; it is let go of early only where both do not fit side by side. */
static inline int streamem__place(streamem_writer *w, const streamem_spec *spec, streamem_writer *old, streamem_error *error) {
  char temporary[200], path[160];
  char *descriptor = (char *)malloc(STREAMEM_DESCRIPTOR_BYTES_MAX);
  uint32_t descriptor_bytes = 0;
  if (!descriptor) return STREAMEM__FAIL(error, ENOMEM, "no memory");
  streamem__ring_path(path, sizeof path, w->prefix, w->name);
  streamem__sweep_temporaries(w->prefix, w->name);
  w->base = NULL;
  w->ring_fd = -1;
  int result = streamem__plan(w, spec, &descriptor_bytes, descriptor, error);
  uint64_t deadline = streamem_now_ns() + 2000000000ull;
  int making_room = 0;
  if (result == 0) result = streamem__allocate(w, temporary, sizeof temporary, error);
  while (result == -ENOSPC && streamem_now_ns() < deadline) {
    streamem_error other; /* the sentence about the bytes is the one to keep */
    if (streamem__retire_old(path, &other) < 0) break;
    if (unlink(path) == 0 || (old && old->base)) making_room = 1;
    if (!making_room) break; /* there is no old ring whose room could come free */
    if (old) streamem__let_go(old);
    streamem__sleep_ns(20000000); /* readers need a moment to let go of it too */
    result = streamem__allocate(w, temporary, sizeof temporary, error);
  }
  if (result == 0) {
    streamem__write_header(w, descriptor, descriptor_bytes);
    if (spec->group != (uint32_t)-1 && (fchown(w->ring_fd, (uid_t)-1, (gid_t)spec->group) != 0 || fchmod(w->ring_fd, 0640) != 0))
      result = STREAMEM__FAIL(error, errno, "stream \"%s\": cannot give it to group %u: %s", w->name, spec->group, strerror(errno));
    if (result == 0) result = streamem__retire_old(path, error); /* its readers look for us from here on */
    if (result == 0 && rename(temporary, path) != 0) result = STREAMEM__FAIL(error, errno, "%s: rename failed: %s", path, strerror(errno));
    if (result < 0) {
      unlink(temporary);
      streamem__let_go(w);
    }
  }
  free(descriptor);
  w->sequence = w->writing = 0;
  w->name_gone = 0;
  return result;
}

/** Makes the ring of a stream and becomes its one writer, taking over from a dead one. -EBUSY another writer lives,
 *  -ENOSPC not enough shared memory (needed and available stand in the text), -EINVAL, -EPERM, -EACCES. */
STREAMEM_API int streamem_create(streamem_writer **out, const streamem_spec *spec, streamem_error *error) {
  const char *prefix = streamem__prefix(spec->prefix);
  *out = NULL;
  int result = streamem__check_names(prefix, spec->name, error);
  if (result < 0) return result;
  streamem_writer *w = (streamem_writer *)calloc(1, sizeof *w);
  if (!w) return STREAMEM__FAIL(error, ENOMEM, "no memory for a writer");
  strcpy(w->prefix, prefix);
  strcpy(w->name, spec->name);
  w->ring_fd = -1;
  result = w->lock_fd = streamem__lock_take(prefix, spec->name, error);
  if (result >= 0) result = streamem__place(w, spec, NULL, error);
  if (result < 0) {
    if (w->lock_fd >= 0) {
      char lock_path[160];
      streamem__lock_path(lock_path, sizeof lock_path, w->prefix, w->name);
      unlink(lock_path);
      close(w->lock_fd);
    }
    free(w);
    return result;
  }
  streamem__writers_add(w);
  *out = w;
  return 0;
}

/** A new generation of the same stream: another size or type, or after -ESTALE (the name was removed). Sequences
 *  start again at 1. -EBUSY: the name was removed and another writer has the stream now. After an error the
 *  writer goes on with the generation it had, unless that had to make room: then it answers -ESTALE until a
 *  later renew succeeds. */
STREAMEM_API int streamem_renew(streamem_writer *w, const streamem_spec *spec, streamem_error *error) {
  char lock_path[160];
  if (w->forked) return STREAMEM__FAIL(error, EPERM, "stream \"%s\" belongs to the parent process: a forked child cannot write it", w->name);
  streamem__lock_path(lock_path, sizeof lock_path, w->prefix, w->name);
  if (!streamem__same_file(w->lock_fd, lock_path)) { /* the lock was removed too: whoever made a new one has the stream */
    if (w->base) streamem__retire_own(w); /* our ring has no name, and its lock must not look like a second writer's */
    short type = F_UNLCK;
    streamem__ofd_lock(w->ring_fd, F_OFD_SETLK, &type);
    int lock = streamem__lock_take(w->prefix, w->name, error);
    if (lock < 0) return lock;
    close(w->lock_fd);
    w->lock_fd = lock;
  }
  streamem_writer old = *w;
  int result = streamem__place(w, spec, &old, error);
  if (result < 0) {
    *w = old;
    w->name_gone = w->name_gone || !w->base;
    if (!w->base) w->writing = 0; /* an acquired slot went with it */
    return result;
  }
  if (old.base) streamem__retire_own(&old); /* by its own mapping: the name may have been gone */
  streamem__let_go(&old);
  return 0;
}

/** Ends the stream: RETIRED, wake, unlink ring, unlink lock. In a forked child it only frees. */
STREAMEM_API void streamem_writer_close(streamem_writer *w) {
  char path[160];
  if (!w) return;
  streamem__writers_remove(w);
  if (!w->forked) {
    if (w->base) streamem__retire_own(w);
    streamem__ring_path(path, sizeof path, w->prefix, w->name);
    if (streamem__same_file(w->ring_fd, path)) unlink(path);
    streamem__lock_path(path, sizeof path, w->prefix, w->name);
    if (streamem__same_file(w->lock_fd, path)) unlink(path);
    close(w->lock_fd);
  }
  streamem__let_go(w);
  free(w);
}

/** Begins a frame: *payload is the slot's memory, payload_capacity bytes, to be filled by any means, streaming
 *  stores too. Then streamem_commit or streamem_abort. -EBUSY one is begun already, -EPERM in a forked child,
 *  -ESTALE the name was removed: streamem_renew. */
STREAMEM_API int streamem_acquire(streamem_writer *w, void **payload) {
  if (w->forked) return -EPERM;
  if (STREAMEM_LOAD_RELAXED(&w->name_gone)) return -ESTALE;
  if (w->writing) return -EBUSY;
  uint64_t sequence = w->sequence + 1;
  uint8_t *at = w->base + w->slots_offset + (sequence % w->slot_count) * w->slot_stride;
  streamem_slot_header *slot = (streamem_slot_header *)(void *)at;
  w->writing = sequence;
  STREAMEM_STORE_RELAXED(&slot->begin, sequence);
  STREAMEM_FENCE_RELEASE(); /* (A) without it payload stores may be seen before begin, and a reader trusts a mixed frame */
  STREAMEM_STREAMING_FENCE(); /* (A) for non-temporal stores, which may pass an older store as well */
  *payload = at + w->payload_offset;
  return 0;
}

/** Gives the frame up; the next one gets its sequence. The frame that the slot held before is gone. */
STREAMEM_API int streamem_abort(streamem_writer *w) {
  if (!w->writing) return -EINVAL;
  w->writing = 0;
  return 0;
}

/** Publishes the acquired frame of `bytes` bytes. meta may be NULL (no times known), fields too (then
 *  meta->fields_bytes must be 0). Returns 0, -EINVAL when nothing is acquired, -EMSGSIZE when it does not fit. */
STREAMEM_API int streamem_commit(streamem_writer *w, uint64_t bytes, const streamem_meta *meta, const void *fields) {
  if (!w->writing) return -EINVAL;
  if (w->forked) return -EPERM;
  if (bytes > w->payload_capacity) return -EMSGSIZE;
  if (meta && (meta->fields_bytes > w->fields_capacity || meta->dimensions > STREAMEM_DIMENSIONS_MAX || (meta->fields_bytes && !fields))) return -EMSGSIZE;
  STREAMEM_STREAMING_FENCE(); /* (B) */
  streamem_segment_header *h = (streamem_segment_header *)(void *)w->base;
  uint64_t sequence = w->writing;
  uint8_t *at = w->base + w->slots_offset + (sequence % w->slot_count) * w->slot_stride;
  streamem_slot_header *slot = (streamem_slot_header *)(void *)at;
  slot->device_time = meta ? meta->device_time : STREAMEM_UNKNOWN;
  slot->capture_time_ns = meta ? meta->capture_time_ns : STREAMEM_UNKNOWN;
  slot->time_error_ns = meta ? meta->time_error_ns : STREAMEM_UNKNOWN;
  slot->clock_epoch = meta ? meta->clock_epoch : 0;
  slot->payload_bytes = bytes;
  slot->fields_bytes = meta ? meta->fields_bytes : 0;
  slot->dimensions = meta ? meta->dimensions : 0;
  if (meta) memcpy(slot->shape, meta->shape, sizeof slot->shape);
  else memset(slot->shape, 0, sizeof slot->shape);
  if (slot->fields_bytes) memcpy(at + w->fields_offset, fields, meta->fields_bytes);
  slot->publish_utc_ns = streamem_clock_ns(CLOCK_REALTIME);
  slot->publish_time_ns = streamem_now_ns();
  STREAMEM_STORE_RELEASE(&slot->end, sequence);     /* (C) */
  STREAMEM_STORE_RELEASE(&h->latest, sequence);     /* (D) */
  STREAMEM_STORE_RELEASE(&h->wake, h->wake + 1);    /* (E) */
  w->sequence = sequence;
  w->writing = 0;
  streamem__futex_wake(&h->wake);
  return 0;
}

/** Acquire, copy, commit in one call. Errors of both; -EMSGSIZE leaves the ring untouched. */
STREAMEM_API int streamem_publish(streamem_writer *w, const void *payload, uint64_t bytes, const streamem_meta *meta, const void *fields) {
  void *slot;
  if (bytes > w->payload_capacity || (meta && meta->fields_bytes > w->fields_capacity)) return -EMSGSIZE;
  int result = streamem_acquire(w, &slot);
  if (result < 0) return result;
  memcpy(slot, payload, bytes);
  result = streamem_commit(w, bytes, meta, fields);
  if (result < 0) streamem_abort(w);
  return result;
}

#ifdef __cplusplus
}
#endif
#endif
