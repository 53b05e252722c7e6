/* Publishing against what it cannot do without: one memcpy, two clocks, one FUTEX_WAKE. Contenders take turns tick by
 * tick in random order inside one process, so that caches, slots and neighbours are the same for both. */
#include "program.h"

#define FRAME_BYTES 6220800ull
#define TICKS 20        /* of each contender in a round */
#define BATCH 500       /* publishes timed as one where they are hot */
#define BATCHES 20

static streamem_writer *large, *small;
static uint8_t *source;
static streamem_writer *bare; /* a ring for the floors: its wake word lies in a file of /dev/shm as the other's does */
static uint32_t *floor_word;

static void floor_call(void) {
  volatile uint64_t utc_ns = streamem_clock_ns(CLOCK_REALTIME), now_ns = streamem_now_ns();
  (void)utc_ns;
  (void)now_ns;
  streamem__futex_wake(floor_word);
}

/* The same, and 64 bytes into the next slot: what touching cold memory costs whoever does it. */
static void floor_call_and_bytes(void) {
  bare->sequence++;
  memcpy(bare->base + bare->slots_offset + bare->sequence % bare->slot_count * bare->slot_stride + bare->payload_offset, source, 64);
  floor_call();
}

static void publish_small(void) {
  memcpy(source, &small->sequence, 8);
  streamem_publish(small, source, 64, NULL, NULL);
}

/* Every frame visits the next slot of the same ring, and both are committed; only what is timed differs. */
static uint64_t frame_by_memcpy(void) {
  void *slot = NULL;
  if (streamem_acquire(large, &slot) < 0) bench_die("streamem_acquire", "failed");
  uint64_t start = streamem_now_ns();
  memcpy(slot, source, FRAME_BYTES);
  uint64_t end = streamem_now_ns();
  streamem_commit(large, FRAME_BYTES, NULL, NULL);
  return end - start;
}

static uint64_t frame_by_publish(void) {
  uint64_t start = streamem_now_ns();
  streamem_publish(large, source, FRAME_BYTES, NULL, NULL);
  return streamem_now_ns() - start;
}

static uint64_t timed(void (*call)(void)) {
  uint64_t start = streamem_now_ns();
  call();
  return streamem_now_ns() - start;
}

static void nothing(void) {}

/* The fewest ns that timing takes by itself: taken off the small ones, or it would hide a difference. */
static uint64_t timing_ns(void) {
  uint64_t least = ~0ull;
  for (int i = 0; i < 200; i++) {
    uint64_t ns = timed(nothing);
    if (ns < least) least = ns;
  }
  return least;
}

static void round_large(void) {
  uint64_t at = streamem_now_ns();
  for (int i = 0; i < TICKS; i++) {
    uint32_t order[2];
    bench_shuffle(order, 2);
    for (int k = 0; k < 2; k++) {
      bench_tick(&at, BENCH_TICK_NS);
      if (order[k] == 0) bench_add("1080p, 6,220,800 B", "memcpy into the slot", "30 Hz", (double)frame_by_memcpy());
      else bench_add("1080p, 6,220,800 B", "publish", "30 Hz", (double)frame_by_publish());
    }
  }
}

static void (*const small_calls[3])(void) = {floor_call, floor_call_and_bytes, publish_small};
static const char *const small_names[3] = {"FUTEX_WAKE + 2 clocks", "FUTEX_WAKE + 2 clocks + memcpy of 64 B", "publish"};

static void round_small(void) {
  uint64_t at = streamem_now_ns(), own = timing_ns();
  for (int i = 0; i < TICKS; i++) {
    uint32_t order[3];
    bench_shuffle(order, 3);
    for (int k = 0; k < 3; k++) {
      bench_tick(&at, BENCH_TICK_NS);
      bench_add("64 B", small_names[order[k]], "30 Hz", (double)(timed(small_calls[order[k]]) - own));
    }
  }
}

static double batch(void (*call)(void)) {
  uint64_t start = streamem_now_ns();
  for (int i = 0; i < BATCH; i++) call();
  return (double)(streamem_now_ns() - start) / BATCH;
}

static void round_hot(void) {
  for (int i = 0; i < BATCHES; i++) {
    uint32_t order[3];
    bench_shuffle(order, 3);
    for (int k = 0; k < 3; k++) bench_add("64 B", small_names[order[k]], "hot", batch(small_calls[order[k]]));
  }
}

static void one_round(void) {
  round_large();
  round_small();
  round_hot();
}

int main(void) {
  large = bench_ring("publish-large", FRAME_BYTES, 8, NULL);
  small = bench_ring("publish-small", 64, 8, NULL);
  source = bench_private(FRAME_BYTES);
  bare = bench_ring("publish-floor", 64, 8, NULL);
  floor_word = &((streamem_segment_header *)(void *)bare->base)->wake;
  bench_rounds(one_round);
  streamem_writer_close(bare);
  streamem_writer_close(small);
  streamem_writer_close(large);
  return 0;
}
