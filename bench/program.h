/* program.h - what the C programs of the benchmark share: rounds asked for line by line, samples as JSON, pacing.
 *
 * A program prints one JSON line when it is ready ({"ready": true}, and where it has them "versions" of what it uses and "pids" of
 * the processes that read), then for each line on stdin runs one round and prints
 * {"series": [{"case", "contender", "condition", "samples": [ns, ...]}, ...]}. It ends at end of file. Any language can
 * speak this, and the runner may take turns between programs, so that a noisy moment meets all of them. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include "../clients/c/streamem.h"
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define BENCH_TICK_NS 33333333ull /* 30 Hz */
#define BENCH_SERIES_MAX 64

typedef struct bench_series {
  const char *kase, *contender, *condition;
  double *ns;
  uint32_t count, room;
} bench_series;

static bench_series bench_all[BENCH_SERIES_MAX];
static uint32_t bench_series_count;

static inline void bench_die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

/** Adds one sample. The three names must be literals. */
static inline void bench_add(const char *kase, const char *contender, const char *condition, double ns) {
  uint32_t i = 0;
  while (i < bench_series_count && !(bench_all[i].kase == kase && bench_all[i].contender == contender && bench_all[i].condition == condition)) i++;
  if (i == BENCH_SERIES_MAX) bench_die("bench_add", "too many series");
  bench_series *s = &bench_all[i];
  if (i == bench_series_count) {
    bench_series fresh = {kase, contender, condition, NULL, 0, 0};
    *s = fresh;
    bench_series_count++;
  }
  if (s->count == s->room) {
    s->room = s->room ? s->room * 2 : 256;
    s->ns = (double *)realloc(s->ns, s->room * sizeof *s->ns);
    if (!s->ns) bench_die("realloc", "no memory");
  }
  s->ns[s->count++] = ns;
}


static inline void bench_print(void) {
  printf("{\"series\":[");
  for (uint32_t i = 0; i < bench_series_count; i++) {
    bench_series *s = &bench_all[i];
    printf("%s{\"case\":\"%s\",\"contender\":\"%s\",\"condition\":\"%s\",\"samples\":[", i ? "," : "", s->kase, s->contender, s->condition);
    for (uint32_t k = 0; k < s->count; k++) printf("%s%.1f", k ? "," : "", s->ns[k]);
    printf("]}");
    s->count = 0;
  }
  printf("]}\n");
  fflush(stdout);
}

/** Says that it is ready, and which processes read, if that is of interest; then runs `round` for each line on stdin. */
static inline void bench_rounds_of(void (*round)(void), const pid_t *readers, int count) {
  char line[64];
  printf("{\"ready\":true,\"pids\":[");
  for (int i = 0; i < count; i++) printf("%s%d", i ? "," : "", (int)readers[i]);
  printf("]}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    round();
    bench_print();
  }
}

static inline void bench_rounds(void (*round)(void)) { bench_rounds_of(round, NULL, 0); }

/** Sleeps until the next tick; a tick missed is not made up for, so that no burst follows a stall. */
static inline void bench_tick(uint64_t *at_ns, uint64_t period_ns) {
  uint64_t now = streamem_now_ns();
  *at_ns += period_ns;
  if (*at_ns <= now) *at_ns = now + period_ns;
  struct timespec t = {(time_t)(*at_ns / 1000000000ull), (long)(*at_ns % 1000000000ull)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static inline uint64_t bench_random(void) {
  static uint64_t state;
  if (!state) state = streamem_now_ns() | 1;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

/** Puts 0 to n-1 into random order. */
static inline void bench_shuffle(uint32_t *order, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  for (uint32_t i = n; i > 1; i--) {
    uint32_t j = (uint32_t)(bench_random() % i), keep = order[i - 1];
    order[i - 1] = order[j];
    order[j] = keep;
  }
}

/** Private memory, touched, with no two equal words near each other. */
static inline uint8_t *bench_private(uint64_t bytes) {
  uint64_t *words = (uint64_t *)mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (words == MAP_FAILED) bench_die("mmap", strerror(errno));
  for (uint64_t i = 0; i < (bytes + 7) / 8; i++) words[i] = bench_random();
  return (uint8_t *)words;
}

/** fork() whose child ends with its parent, however that ends. */
static inline pid_t bench_fork(void) {
  pid_t parent = getpid(), child = fork();
  if (child < 0) bench_die("fork", strerror(errno));
  if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) _exit(1);
  return child;
}

/** Zeroed memory that forked children share. */
static inline void *bench_shared(uint64_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) bench_die("mmap", strerror(errno));
  return p;
}

/** A ring of |u1 frames; the prefix comes from STREAMEM_PREFIX. */
static inline streamem_writer *bench_ring(const char *name, uint64_t bytes, uint32_t slots, const char *wake_path) {
  char descriptor[200];
  streamem_error error;
  streamem_spec spec;
  streamem_writer *writer;
  snprintf(descriptor, sizeof descriptor, "{\"kind\":\"tensor\",\"dtype\":\"|u1\",\"shape\":[%llu]}", (unsigned long long)bytes);
  memset(&spec, 0, sizeof spec);
  spec.name = name;
  spec.descriptor = descriptor;
  spec.wake_path = wake_path;
  spec.payload_capacity = bytes;
  spec.slot_count = slots;
  spec.group = (uint32_t)-1;
  if (streamem_create(&writer, &spec, &error) < 0) bench_die(name, error.text);
  return writer;
}

static inline streamem_reader *bench_reader(const char *name) {
  streamem_error error;
  streamem_reader *reader;
  if (streamem_open(&reader, NULL, name, 2000, &error) < 0) bench_die(name, error.text);
  return reader;
}

#endif
