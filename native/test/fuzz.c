/* Hostile rings in front of the C reader.
 *
 *   fuzz SEED VARIATIONS PATH RING...
 *
 * Each variation is one of the RINGs with some values changed, written to PATH; half of them are changed once more while
 * a reader has them open. Every verb is asked, everything handed out must lie in its slot, and every byte of it is read.
 * Compile with -fsanitize=address,undefined: the ring's mapping here lies between guard pages, and what is left of its
 * last page is poisoned, so a read of one byte too much ends the run. Prints {"opened", "refused", "frames"}; exit
 * status 1 with seed and variation on stderr when something is wrong. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

enum { PAGE = 4096 };

static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

static void *guarded_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (at || bytes == 0 || bytes > (size_t)1 << 46) return MAP_FAILED;
  size_t whole = whole_pages(bytes);
  uint8_t *room = (uint8_t *)mmap(NULL, whole + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return MAP_FAILED;
  if (mmap(room + PAGE, whole, protection, flags | MAP_FIXED, fd, offset) == MAP_FAILED) {
    munmap(room, whole + 2 * PAGE);
    return MAP_FAILED;
  }
  ASAN_POISON_MEMORY_REGION(room, PAGE);
  ASAN_POISON_MEMORY_REGION(room + PAGE + bytes, whole - bytes + PAGE);
  return room + PAGE;
}

static int guarded_munmap(void *at, size_t bytes) {
  uint8_t *room = (uint8_t *)at - PAGE;
  ASAN_UNPOISON_MEMORY_REGION(room, whole_pages(bytes) + 2 * PAGE);
  return munmap(room, whole_pages(bytes) + 2 * PAGE);
}

#define mmap guarded_mmap
#define munmap guarded_munmap
#include "../../clients/c/streamem.h"
#undef mmap
#undef munmap

/* ---- Progress lies in memory shared with the parent, which says where the child ended, however it ended. ---- */

typedef struct progress {
  uint64_t variation, opened, refused, frames;
  const char *base, *verb;
} progress;
static progress *now;

static void need(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

/* ---- Chance. --------------------------------------------------------------------------------------- */

static uint64_t chance;

static uint64_t any(void) { /* xorshift64* */
  chance ^= chance >> 12;
  chance ^= chance << 25;
  chance ^= chance >> 27;
  return chance * 0x2545f4914f6cdd1dull;
}
static uint64_t below(uint64_t n) { return (any() >> 11) % n; }

/* ---- Damage. --------------------------------------------------------------------------------------- */

enum { IMAGE_MAX = 1 << 20 };

/* A ring as it will stand in the file: `bytes` of it, and zeros up to `file_bytes`. */
typedef struct image {
  uint64_t bytes, file_bytes;
  _Alignas(8) uint8_t at[1 << 16];
} image;

typedef struct number {
  uint32_t offset, size;
} number;

#define NUMBER(type, field) {offsetof(streamem_##type, field), sizeof(((streamem_##type *)0)->field)}
#define HEADER(field) NUMBER(segment_header, field)
#define SLOT(field) NUMBER(slot_header, field)
static const number header_numbers[] = {
    HEADER(major), HEADER(minor), HEADER(header_bytes), HEADER(total_bytes), HEADER(slots_offset), HEADER(slot_stride),
    HEADER(payload_capacity), HEADER(slot_count), HEADER(slot_header_bytes), HEADER(fields_offset), HEADER(fields_capacity),
    HEADER(payload_offset), HEADER(descriptor_offset), HEADER(descriptor_bytes), HEADER(wake_mode), HEADER(writer_pid),
    HEADER(writer_start_utc_ns), HEADER(latest), HEADER(wake), HEADER(flags)};
static const number slot_numbers[] = {
    SLOT(begin), SLOT(end), SLOT(device_time), SLOT(capture_time_ns), SLOT(time_error_ns), SLOT(publish_time_ns), SLOT(publish_utc_ns),
    SLOT(payload_bytes), SLOT(payload_bytes), SLOT(clock_epoch), SLOT(fields_bytes), SLOT(fields_bytes), SLOT(dimensions), SLOT(dimensions),
    SLOT(shape[0]), SLOT(shape[1]), SLOT(shape[2]), SLOT(shape[3]), SLOT(shape[4]), SLOT(shape[5]), SLOT(shape[6]), SLOT(shape[7])};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static uint64_t get(const image *ring, uint64_t at, number field) {
  uint64_t value = 0;
  if (at + field.offset + field.size <= ring->bytes) memcpy(&value, ring->at + at + field.offset, field.size);
  return value;
}

static void put(image *ring, uint64_t at, number field, uint64_t value) {
  if (at <= ring->bytes && at + field.offset + field.size <= ring->bytes) memcpy(ring->at + at + field.offset, &value, field.size);
}

static streamem_segment_header *header_of(image *ring) { return (streamem_segment_header *)(void *)ring->at; }

/* Where a sequence's slot begins, past the end where the damaged header says nonsense. */
static uint64_t slot_at(image *ring, uint64_t sequence) {
  streamem_segment_header *h = header_of(ring);
  uint64_t n = sequence % (h->slot_count ? h->slot_count : 1);
  return h->slots_offset < IMAGE_MAX && h->slot_stride < IMAGE_MAX ? h->slots_offset + n * h->slot_stride : ring->bytes;
}

static uint64_t interesting(image *ring, uint64_t old) {
  static const uint64_t values[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 65537,
                                    0x7fffffff, 0x80000000, 0xffffffc0, 0xffffffff, 0x100000000, 1ull << 48, 1ull << 62,
                                    (1ull << 63) - 1, 1ull << 63, (1ull << 63) + 1, ~0ull - 4095, ~0ull - 63, ~0ull - 1, ~0ull};
  static const int steps[] = {-4096, -64, -8, -1, 0, 1, 8, 64, 4096};
  switch (below(8)) {
    case 0: return any();
    case 1: return old ^ 1ull << below(64);
    case 2: return old << below(4);
    case 3: case 4: return old + (uint64_t)(int64_t)steps[below(COUNT(steps))];
    case 5: return get(ring, 0, header_numbers[below(COUNT(header_numbers))]) + (uint64_t)(int64_t)steps[below(COUNT(steps))];
    default: return values[below(COUNT(values))];
  }
}

/* A value at its limit, or one unit past it: where a check is off by one, this finds it. */
static void push_to_limit(image *ring) {
  streamem_segment_header *h = header_of(ring);
  uint64_t past = below(2), slots = h->total_bytes - h->slots_offset;
  switch (below(10)) {
    case 0: h->payload_capacity = h->slot_stride - h->payload_offset + past; break;
    case 1: h->slot_stride = slots / (h->slot_count ? h->slot_count : 1) / 64 * 64 + 64 * past; break;
    case 2: h->slot_count = (uint32_t)(slots / (h->slot_stride ? h->slot_stride : 1) + past); break;
    case 3: h->fields_capacity = (uint32_t)(h->payload_offset - h->fields_offset + past); break;
    case 4: h->payload_offset = (uint32_t)(h->slot_stride - h->payload_capacity + 64 * past); break;
    case 5: h->descriptor_bytes = (uint32_t)(h->slots_offset - h->descriptor_offset + past); break;
    case 6: h->descriptor_offset = (uint32_t)(h->slots_offset - h->descriptor_bytes + past); break;
    case 7: h->slots_offset = h->total_bytes - h->slot_stride * h->slot_count + 64 * past; break;
    case 8: h->total_bytes = ring->file_bytes + past; break;
    default: h->slot_header_bytes = (uint32_t)(h->fields_offset + past); break;
  }
}

static void damage_slot(image *ring) {
  streamem_segment_header *h = header_of(ring);
  uint64_t at = slot_at(ring, below(2) ? h->latest : any());
  number field = slot_numbers[below(COUNT(slot_numbers))];
  switch (below(8)) {
    case 0: put(ring, at, (number)SLOT(payload_bytes), h->payload_capacity + below(2)); break;
    case 1: put(ring, at, (number)SLOT(fields_bytes), h->fields_capacity + below(2)); break;
    case 2: /* a shape of its own whose items just fit, just do not, or overflow */
      put(ring, at, (number)SLOT(dimensions), below(10));
      for (uint32_t d = 0; d < 8; d++)
        put(ring, at, (number){80 + 4 * d, 4}, below(2) ? 1 : below(2) ? get(ring, at, (number)SLOT(payload_bytes)) + below(2) : any() >> 32);
      break;
    default: put(ring, at, field, interesting(ring, get(ring, at, field)));
  }
}

static void damage_descriptor(image *ring) {
  static const char *tokens[] = {"\"", "\\", "{", "}", "[", "]", ":", ",", "\"rate\":1e-300", "\"rate\":1e999", "\"rate\":-1", "\"rate\":0.0000001",
                                 "\"dtype\":\"<f", "\"dtype\":\"<f99999999999999999999\"", "\"dtype\":\"|V0\"", "\"dtype\":\"|V4096\"",
                                 "\"wake\":\"/dev/null\"", "\"wake\":\"", "\"dtype\"", "\"rate\":", "{\"rate\":1,\"dtype\":\"", "\xff", ""};
  streamem_segment_header *h = header_of(ring);
  uint64_t at = h->descriptor_offset, bytes = h->descriptor_bytes;
  if (at + bytes > ring->bytes || bytes == 0) return;
  const char *token = tokens[below(COUNT(tokens))];
  uint64_t length = strlen(token), where = below(4) ? below(bytes) : bytes - (length < bytes ? length : bytes);
  if (below(4) == 0) where = below(bytes < 8 ? bytes : 8);
  if (where + length > bytes) length = bytes - where;
  memcpy(ring->at + at + where, token, length);
  if (below(4) == 0) ring->at[at + below(bytes)] = (uint8_t)any();
}

static void damage(image *ring) {
  streamem_segment_header *h = header_of(ring);
  number one = header_numbers[below(COUNT(header_numbers))], other = header_numbers[below(COUNT(header_numbers))];
  for (uint64_t n = below(3); n < 3; n++) switch (below(8)) {
    case 0: put(ring, 0, one, interesting(ring, get(ring, 0, one))); break;
    case 1: push_to_limit(ring); break;
    case 2: { /* two exchanged */
      uint64_t kept = get(ring, 0, one);
      put(ring, 0, one, get(ring, 0, other));
      put(ring, 0, other, kept);
      break;
    }
    case 3: h->latest = below(2) ? interesting(ring, h->latest) : h->latest; break;
    case 4: case 5: damage_slot(ring); break;
    case 6: damage_descriptor(ring); break;
    default: for (uint64_t k = below(20); k < 20; k++) ring->at[below(ring->bytes)] = (uint8_t)any();
  }
  if (below(2)) { /* the newest slot says that it is whole, so that the rest of it is looked at */
    uint64_t at = slot_at(ring, h->latest);
    put(ring, at, (number)SLOT(begin), h->latest);
    put(ring, at, (number)SLOT(end), h->latest);
  }
  if (below(8) == 0) ring->file_bytes = below(ring->bytes + 1);
  else if (below(2) && h->total_bytes > ring->file_bytes && h->total_bytes <= IMAGE_MAX) ring->file_bytes = h->total_bytes;
}

/* Moves the slots so that the last one ends with a page, and the mapping with it. */
static void move_to_page_end(image *ring) {
  streamem_segment_header *h = header_of(ring);
  uint64_t end = whole_pages(ring->bytes), by = end - ring->bytes;
  if (by % 64 || h->total_bytes != ring->bytes || end > sizeof ring->at) return;
  memmove(ring->at + h->slots_offset + by, ring->at + h->slots_offset, ring->bytes - h->slots_offset);
  memset(ring->at + h->slots_offset, 0, by);
  h->slots_offset += by;
  h->total_bytes = ring->bytes = ring->file_bytes = end;
}

static void store(const image *ring, const char *path, int flags) {
  int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
  uint64_t bytes = ring->bytes < ring->file_bytes ? ring->bytes : ring->file_bytes;
  need(fd >= 0 && pwrite(fd, ring->at, bytes, 0) == (ssize_t)bytes, "cannot write the ring");
  if (flags & O_TRUNC) need(ftruncate(fd, (off_t)ring->file_bytes) == 0, "cannot size the ring");
  close(fd);
}

/* ---- Every verb. ----------------------------------------------------------------------------------- */

static volatile uint64_t sum;

static void read_all(const void *bytes, uint64_t count) {
  uint64_t s = 0;
  for (uint64_t i = 0; i < count; i++) s += ((const uint8_t *)bytes)[i];
  sum += s;
}

static int within(const void *at, uint64_t bytes, const uint8_t *from, uint64_t room) {
  uintptr_t offset = (uintptr_t)at - (uintptr_t)from;
  return (uintptr_t)at >= (uintptr_t)from && offset <= room && bytes <= room - offset;
}

static void look(const streamem_frame *f) {
  const streamem_ring *ring = f->ring;
  const uint8_t *slot = (const uint8_t *)f->slot;
  now->frames++;
  need(within(slot, ring->slot_stride, ring->base, ring->mapped_bytes), "a slot outside the mapping");
  need(within(f->data, f->payload_bytes, slot, ring->slot_stride), "a payload outside its slot");
  need(within(f->fields, f->fields_bytes, slot + 128, (uint64_t)((const uint8_t *)f->data - slot) - 128), "fields outside their area");
  need((uintptr_t)f->data % 64 == 0 && (uintptr_t)f->fields % 8 == 0, "misaligned"); /* the mapping begins with a page */
  need(f->dimensions <= 8, "more than 8 dimensions");
  unsigned __int128 items = 1; /* the product of up to 8 shapes is cut here as soon as it is too large */
  int none = 0;
  for (uint32_t d = 0; d < f->dimensions; d++) none |= f->shape[d] == 0;
  for (uint32_t d = 0; d < f->dimensions && !none; d++) {
    items *= f->shape[d];
    need(items * ring->item_bytes <= f->payload_bytes, "a shape larger than its payload");
  }
  read_all(f->data, f->payload_bytes);
  read_all(f->fields, f->fields_bytes);
  uint8_t *copy = (uint8_t *)malloc(f->payload_bytes + 1), *fields = (uint8_t *)malloc(f->fields_bytes + 1);
  int copied = streamem_copy(f, copy, f->payload_bytes), taken = streamem_copy_fields(f, fields, f->fields_bytes);
  need((copied == 0) == streamem_valid(f) && (taken == 0) == streamem_valid(f), "a copy and valid() disagree");
  if (f->payload_bytes) need(streamem_copy(f, copy, f->payload_bytes - 1) == -ENOSPC, "a copy into too little room");
  free(copy);
  free(fields);
}

static void ask(streamem_reader *reader, int verb) {
  static const char *names[] = {"state", "descriptor", "latest", "newest", "next", "last", "nearest", "stack", "fd", "last of too many"};
  streamem_frame frame, frames[16];
  const char *json;
  int got;
  now->verb = names[verb];
  if (below(4) == 0) reader->looked_ns = 0; /* let it look for a successor, which may be as hostile */
  switch (verb) {
    case 0: need((got = streamem_state(reader)) >= 0 && got <= STREAMEM_RETIRED, "an unknown state"); break;
    case 1: {
      uint32_t bytes = streamem_descriptor(reader, &json);
      need(within(json, bytes, reader->ring->base, reader->ring->mapped_bytes), "a descriptor outside the mapping");
      read_all(json, bytes);
      break;
    }
    case 2: if (streamem_latest(reader, &frame) == STREAMEM_FRAME) look(&frame); break;
    case 3: if (streamem_newest(reader, &frame, 0) == STREAMEM_FRAME) look(&frame); break;
    case 4: if (streamem_next(reader, &frame, 0) == STREAMEM_FRAME) look(&frame); break;
    case 5:
      got = streamem_last(reader, frames, (uint32_t)(1 + below(16)));
      need(got >= -ERANGE && got <= 16, "last gave more than it was asked for");
      for (int i = 0; i < got; i++) look(&frames[i]);
      break;
    case 6: if (streamem_nearest(reader, below(2) ? any() : below(100), &frame) == STREAMEM_FRAME) look(&frame); break;
    case 7: {
      uint32_t n = (uint32_t)(1 + below(9));
      uint64_t bytes = below(2) ? reader->ring->payload_capacity : below(65536);
      if (streamem_latest(reader, &frame) == STREAMEM_FRAME && below(2)) bytes = frame.payload_bytes;
      uint8_t *out = (uint8_t *)malloc(n * bytes + 1);
      uint64_t *sequences = (uint64_t *)malloc(n * sizeof *sequences);
      got = streamem_stack(reader, n, bytes, out, sequences);
      need(got <= (int)n, "stack gave more than it was asked for");
      if (got > 0) read_all(out, (uint64_t)got * bytes);
      free(out);
      free(sequences);
      break;
    }
    case 8: if (below(16) == 0) streamem_fd(reader); break; /* looks into the descriptor for the doorbell's path */
    default: need(streamem_last(reader, frames, reader->ring->slot_count) == -ERANGE, "last beyond the window");
  }
}

static void vary(const image *base, const char *path) {
  static image ring;
  streamem_reader *reader;
  streamem_error error = {0, ""};
  ring = *base;
  if (below(2)) move_to_page_end(&ring);
  damage(&ring);
  now->verb = "open";
  store(&ring, path, O_TRUNC);
  int writer = below(2) ? open(path, O_RDWR) : -1; /* holds the lock: a reader asks more of a ring whose writer lives */
  short lock = F_WRLCK;
  if (writer >= 0) streamem__ofd_lock(writer, F_OFD_SETLK, &lock);
  int result = streamem_open(&reader, NULL, path, 0, &error);
  if (result < 0) {
    if (writer >= 0) close(writer);
    now->refused++;
    need(result == -EBADMSG || result == -EPROTO || result == -ENOMEM, "refused with a strange code");
    need(error.code == -result && strlen(error.text) > 0 && strlen(error.text) < sizeof error.text, "refused without a word");
    return;
  }
  now->opened++;
  for (int verb = 0; verb < 10; verb++) ask(reader, verb);
  if (below(2)) { /* the writer changes it under the reader: never shorter, that is SIGBUS in every mapping */
    uint64_t kept = ring.file_bytes;
    damage(&ring);
    ring.file_bytes = kept;
    store(&ring, path, 0);
  }
  for (int n = 0; n < 10; n++) ask(reader, (int)below(10));
  now->verb = "close";
  streamem_reader_close(reader);
  if (writer >= 0) close(writer);
}

static void load(image *ring, const char *path) {
  int fd = open(path, O_RDONLY);
  ssize_t bytes = fd < 0 ? -1 : read(fd, ring->at, sizeof ring->at);
  need(bytes >= 256 && (size_t)bytes < sizeof ring->at, "cannot read a base ring");
  ring->bytes = ring->file_bytes = (uint64_t)bytes;
  close(fd);
}

static void fuzz(uint64_t seed, uint64_t variations, char **arguments, int bases) {
  static image base;
  chance = seed * 0x9e3779b97f4a7c15ull | 1;
  unsetenv("STREAMEM_DIR"); /* with it the descriptor's `wake` is not looked at */
  for (uint64_t n = 0; n < variations; n++) {
    now->variation = n;
    now->base = arguments[4 + n % (uint64_t)bases];
    load(&base, now->base);
    alarm(60); /* nothing here waits: who takes a minute hangs */
    vary(&base, arguments[3]);
  }
}

int main(int count, char **arguments) {
  if (count < 5) return 2;
  uint64_t seed = strtoull(arguments[1], NULL, 10);
  now = (progress *)mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t child = fork();
  if (child == 0) {
    fuzz(seed, strtoull(arguments[2], NULL, 10), arguments, count - 4);
    exit(0); /* not _exit: leaks are looked for here */
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) {
    fprintf(stderr, "seed %llu, variation %llu of %s, verb %s: %s %d\n", (unsigned long long)seed, (unsigned long long)now->variation, now->base,
            now->verb, WIFSIGNALED(status) ? "signal" : "exit status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return 1;
  }
  printf("{\"opened\": %llu, \"refused\": %llu, \"frames\": %llu}\n", (unsigned long long)now->opened, (unsigned long long)now->refused,
         (unsigned long long)now->frames);
  return 0;
}
