/* The C reader against plain copies out of the same mapping, on frames of 1080p that feed.c writes: one operation for each frame,
 * drawn at random. And what touching memory for the first time costs either side, which a ring spares both. */
#include "program.h"

#define FRAME_BYTES 6220800ull
#define FRAMES 60
#define HOT_CALLS 1000

enum { VIEW, COPY, MEMCPY, NEW_MAPPING, WARM_WRITE, NEW_WRITE, OPERATIONS };

static streamem_reader *reader;
static uint8_t *out, *source, *warm;

static int look(void) {
  streamem_frame frame;
  volatile uint8_t taken;
  if (streamem_latest(reader, &frame) != STREAMEM_FRAME) return 0;
  taken = *(const uint8_t *)frame.data;
  (void)taken;
  return streamem_valid(&frame);
}

static void *map_file(const char *path, int flags, int protection, uint64_t bytes) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0 || (flags & O_CREAT && ftruncate(fd, (off_t)bytes) != 0)) bench_die(path, strerror(errno));
  void *map = mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED) bench_die("mmap", strerror(errno));
  return map;
}

static void add_timed(const char *kase, const char *contender, uint64_t start) {
  bench_add(kase, contender, "30 Hz", (double)(streamem_now_ns() - start));
}

/* From a mapping that this process has just made: each page is a fault. */
static void copy_from_new_mapping(const streamem_frame *frame) {
  const streamem_ring *ring = reader->ring;
  uint8_t *map = (uint8_t *)map_file(reader->path, O_RDONLY, PROT_READ, ring->mapped_bytes);
  const uint8_t *data = map + ((const uint8_t *)frame->data - ring->base);
  uint64_t start = streamem_now_ns();
  memcpy(out, data, FRAME_BYTES);
  add_timed("1080p into the caller's memory", "memcpy from a new mapping", start);
  munmap(map, ring->mapped_bytes);
}

/* Into shared memory whose pages do not exist yet, as a ring's would without prefaulting. */
static void copy_to_new_memory(void) {
  char path[200];
  snprintf(path, sizeof path, "/dev/shm/.%s.look.new", streamem__prefix(NULL));
  uint8_t *map = (uint8_t *)map_file(path, O_RDWR | O_CREAT, PROT_READ | PROT_WRITE, FRAME_BYTES);
  uint64_t start = streamem_now_ns();
  memcpy(map, source, FRAME_BYTES);
  add_timed("1080p into shared memory", "memcpy, first touch", start);
  munmap(map, FRAME_BYTES);
  unlink(path);
}

static void look_often(uint64_t start) {
  add_timed("latest(), a view, valid()", "C", start);
  start = streamem_now_ns();
  for (int i = 0; i < HOT_CALLS; i++) look();
  bench_add("latest(), a view, valid()", "C", "hot", (double)(streamem_now_ns() - start) / HOT_CALLS);
}

static void operate(int which, const streamem_frame *frame) {
  uint64_t start = streamem_now_ns();
  if (which == VIEW) {
    look();
    look_often(start);
  } else if (which == COPY) {
    streamem_copy(frame, out, FRAME_BYTES);
    add_timed("1080p into the caller's memory", "streamem_copy", start);
  } else if (which == MEMCPY) {
    memcpy(out, frame->data, FRAME_BYTES);
    add_timed("1080p into the caller's memory", "memcpy", start);
  } else if (which == NEW_MAPPING) {
    copy_from_new_mapping(frame);
  } else if (which == WARM_WRITE) {
    memcpy(warm, source, FRAME_BYTES);
    add_timed("1080p into shared memory", "memcpy, warm", start);
  } else {
    copy_to_new_memory();
  }
}

static void one_round(void) {
  uint32_t order[OPERATIONS];
  for (int i = 0; i < FRAMES; i++) {
    streamem_frame frame;
    if (i % OPERATIONS == 0) bench_shuffle(order, OPERATIONS);
    while (streamem_newest(reader, &frame, -1) != STREAMEM_FRAME) continue;
    operate((int)order[i % OPERATIONS], &frame);
  }
}

int main(void) {
  char path[200];
  reader = bench_reader("feed");
  out = bench_private(FRAME_BYTES);
  source = bench_private(FRAME_BYTES);
  snprintf(path, sizeof path, "/dev/shm/.%s.look.warm", streamem__prefix(NULL));
  warm = (uint8_t *)map_file(path, O_RDWR | O_CREAT, PROT_READ | PROT_WRITE, FRAME_BYTES);
  memcpy(warm, source, FRAME_BYTES);
  bench_rounds(one_round);
  unlink(path);
  streamem_reader_close(reader);
  return 0;
}
