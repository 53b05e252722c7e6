/* The writer's CPU time per publish with 0, 1 and 10 readers that have mapped the ring and never sleep: each asks for
 * latest() again and again, takes the first byte of every new frame, and asks valid(). Readers are processes, started
 * and ended anew for each measurement, so that none means none. Held against as many processes that do the same with
 * other rings: a core that is kept busy does not have to be woken, which alone changes what a small publish costs. */
#include "program.h"

#define FRAME_BYTES 6220800ull
#define TICKS 12

static streamem_writer *large, *small, *other_large, *other_small;
static uint8_t *source;
static volatile uint32_t *awake; /* readers that have seen a frame of both rings */

static void read_for_ever(const char *first, const char *second) {
  streamem_reader *readers[2] = {bench_reader(first), bench_reader(second)};
  uint64_t seen[2] = {0, 0};
  volatile uint8_t taken;
  for (int counted = 0;;) {
    for (int i = 0; i < 2; i++) {
      streamem_frame frame;
      if (streamem_latest(readers[i], &frame) != STREAMEM_FRAME || frame.sequence == seen[i]) continue;
      taken = *(const uint8_t *)frame.data;
      (void)taken;
      if (streamem_valid(&frame)) seen[i] = frame.sequence;
    }
    if (!counted && seen[0] && seen[1]) {
      __atomic_fetch_add(awake, 1, __ATOMIC_RELEASE);
      counted = 1;
    }
  }
}

static uint64_t cpu_ns(void) { return streamem_clock_ns(CLOCK_THREAD_CPUTIME_ID); }

/* CPU ns that asking for CPU ns takes. */
static double asking_ns(void) {
  uint64_t start = cpu_ns();
  for (int i = 0; i < 500; i++) cpu_ns();
  return (double)(cpu_ns() - start) / 501;
}

static void by_memcpy(void) {
  void *slot = NULL;
  if (streamem_acquire(large, &slot) < 0) bench_die("streamem_acquire", "failed");
  memcpy(slot, source, FRAME_BYTES);
}

static void measure(const char *condition, double own_ns) {
  uint64_t at = streamem_now_ns();
  for (int i = 0; i < TICKS; i++) {
    uint32_t order[3];
    bench_shuffle(order, 3);
    for (int k = 0; k < 3; k++) {
      bench_tick(&at, BENCH_TICK_NS);
      uint64_t start = cpu_ns();
      if (order[k] == 0) by_memcpy();
      if (order[k] == 1) streamem_publish(large, source, FRAME_BYTES, NULL, NULL);
      if (order[k] == 2) streamem_publish(small, source, 64, NULL, NULL);
      double ns = (double)(cpu_ns() - start) - own_ns;
      if (order[k] == 0) bench_add("1080p, 6,220,800 B", "memcpy into the slot", condition, ns);
      if (order[k] == 1) bench_add("1080p, 6,220,800 B", "publish", condition, ns);
      if (order[k] == 2) bench_add("64 B", "publish", condition, ns);
      if (order[k] == 0) streamem_commit(large, FRAME_BYTES, NULL, NULL);
    }
  }
}

static void with_readers(int count, int elsewhere, const char *condition) {
  pid_t children[10];
  double own_ns = asking_ns();
  *awake = 0;
  for (int i = 0; i < count; i++) {
    children[i] = bench_fork();
    if (children[i] == 0 && elsewhere) read_for_ever("readers-other-large", "readers-other-small");
    if (children[i] == 0) read_for_ever("readers-large", "readers-small");
  }
  while (*awake < (uint32_t)count) streamem__sleep_ns(1000000);
  measure(condition, own_ns);
  for (int i = 0; i < count; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < count; i++) waitpid(children[i], NULL, 0);
}

static void one_round(void) {
  static const int counts[5] = {0, 1, 1, 10, 10};
  static const char *const conditions[5] = {"0 readers", "1 reader", "1 reader elsewhere", "10 readers", "10 readers elsewhere"};
  uint32_t order[5];
  bench_shuffle(order, 5);
  for (int i = 0; i < 5; i++) with_readers(counts[order[i]], order[i] == 2 || order[i] == 4, conditions[order[i]]);
}

int main(void) {
  large = bench_ring("readers-large", FRAME_BYTES, 8, NULL);
  small = bench_ring("readers-small", 64, 8, NULL);
  other_large = bench_ring("readers-other-large", FRAME_BYTES, 8, NULL);
  other_small = bench_ring("readers-other-small", 64, 8, NULL);
  source = bench_private(FRAME_BYTES);
  awake = (volatile uint32_t *)bench_shared(4096);
  streamem_publish(large, source, FRAME_BYTES, NULL, NULL);
  streamem_publish(small, source, 64, NULL, NULL);
  streamem_publish(other_large, source, FRAME_BYTES, NULL, NULL);
  streamem_publish(other_small, source, 64, NULL, NULL);
  bench_rounds(one_round);
  streamem_writer_close(other_small);
  streamem_writer_close(other_large);
  streamem_writer_close(small);
  streamem_writer_close(large);
  return 0;
}
