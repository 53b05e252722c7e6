/* Follows streams of a hub, a thread for each: ns from a frame's publish time until it is in hand, by stream, and frames missed. */
#include "program.h"

#define STREAMS_MAX 32
#define SAMPLES_MAX 65536

typedef struct follower {
  const char *name;
  pthread_mutex_t mutex;
  double ns[SAMPLES_MAX];
  uint32_t count, received, missed;
} follower;

static follower *followers[STREAMS_MAX];
static int streams;

static void *follow(void *argument) {
  follower *f = (follower *)argument;
  streamem_reader *reader = bench_reader(f->name);
  streamem_frame frame;
  volatile uint8_t taken;
  for (;;) {
    if (streamem_next(reader, &frame, -1) != STREAMEM_FRAME) continue;
    taken = *(const uint8_t *)frame.data;
    (void)taken;
    double ns = (double)(streamem_now_ns() - frame.publish_time_ns);
    pthread_mutex_lock(&f->mutex);
    if (f->count < SAMPLES_MAX) f->ns[f->count++] = ns;
    f->received++;
    f->missed += (uint32_t)frame.missed;
    pthread_mutex_unlock(&f->mutex);
  }
  return NULL;
}

static void one_round(void) {
  for (int i = 0; i < streams; i++) {
    follower *f = followers[i];
    pthread_mutex_lock(&f->mutex);
    for (uint32_t k = 0; k < f->count; k++) bench_add(f->name, "C", "latency", f->ns[k]);
    bench_add(f->name, "C", "received", f->received);
    bench_add(f->name, "C", "missed", f->missed);
    f->count = f->received = f->missed = 0;
    pthread_mutex_unlock(&f->mutex);
  }
}

/** argv: names of streams */
int main(int argc, char **argv) {
  pthread_t thread;
  if (argc < 2 || argc > STREAMS_MAX / 2) bench_die(argv[0], "name 1 to 15 streams");
  for (streams = 0; streams < argc - 1; streams++) {
    follower *f = (follower *)calloc(1, sizeof *f);
    if (!f) bench_die("calloc", "no memory");
    f->name = argv[streams + 1];
    pthread_mutex_init(&f->mutex, NULL);
    followers[streams] = f;
    pthread_create(&thread, NULL, follow, f);
  }
  bench_rounds(one_round);
  return 0;
}
