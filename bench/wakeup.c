/* One blocked reader in a process of its own: from before the writer's call to the first bytes in the reader's hand.
 * All readers are parked all the time, each on something of its own; the writer rings one after the other. */
#include "program.h"
#include <poll.h>
#include <sched.h>

#include "../native/doorbell.c"

#define IDLE_PINGS 12
#define HOT_PINGS 110
#define HOT_SKIPPED 10 /* the first ones still wake an idle core */
#define HOT_GAP_NS 500000ull
#define PINGS_MAX 128

enum { BARE_FUTEX, BARE_EVENTFD, OWN_FUTEX, BARE_TWO_STEP, BARE_TWO_STEP_READ, OWN_DOORBELL, CONTENDERS };
static const char *const names[CONTENDERS] = {"bare futex", "bare eventfd", "newest() on the futex", "bare two steps, poll and read", "bare two steps, blocking read",
                                              "epoll on the reader's fd, newest(0)"};

/* What a bare wake-up needs, and what the child found. One page-aligned block a contender. */
typedef struct line {
  uint32_t word;
  uint32_t ready;
  uint8_t apart[56];
  uint64_t sent_ns; /* the payload */
  uint8_t apart_too[56];
  volatile uint32_t index; /* of the ping under way */
  volatile uint32_t done;  /* pings received */
  volatile uint64_t latency_ns[PINGS_MAX];
} line;

static line *lines;
static int event_fds[CONTENDERS];
static streamem_writer *futex_ring, *bell_ring;
static pid_t children[CONTENDERS];

static void received(line *l, uint64_t sent_ns) {
  uint64_t now = streamem_now_ns();
  l->latency_ns[l->index] = now - sent_ns;
  l->done++;
}

static void child_bare_futex(line *l) {
  for (uint32_t seen = 0;;) {
    syscall(SYS_futex, &l->word, 0 /* FUTEX_WAIT */, seen, NULL, NULL, 0);
    uint32_t now = STREAMEM_LOAD_ACQUIRE(&l->word);
    if (now == seen) continue;
    seen = now;
    received(l, *(volatile uint64_t *)&l->sent_ns);
  }
}

static void child_event(line *l, int fd, int polls) {
  for (;;) {
    uint64_t count;
    struct pollfd polled = {fd, POLLIN, 0};
    if (polls && poll(&polled, 1, -1) < 1) continue;
    if (read(fd, &count, sizeof count) != sizeof count) continue;
    received(l, *(volatile uint64_t *)&l->sent_ns);
  }
}

static void child_own_futex(line *l) {
  streamem_reader *reader = bench_reader("wakeup-futex");
  streamem_frame frame;
  STREAMEM_STORE_RELEASE(&l->ready, 1);
  for (;;)
    if (streamem_newest(reader, &frame, -1) == STREAMEM_FRAME) received(l, *(const volatile uint64_t *)frame.data);
}

static void child_own_doorbell(line *l) {
  while (!STREAMEM_LOAD_ACQUIRE(&l->word)) streamem__sleep_ns(1000000); /* until the doorbell is open */
  streamem_reader *reader = bench_reader("wakeup-bell");
  streamem_frame frame;
  struct epoll_event event;
  int fd = streamem_fd(reader);
  if (fd < 0 || reader->bell_socket < 0) bench_die("streamem_fd", "no doorbell");
  STREAMEM_STORE_RELEASE(&l->ready, 1);
  for (;;) {
    if (epoll_wait(fd, &event, 1, -1) < 1) continue;
    if (streamem_newest(reader, &frame, 0) == STREAMEM_FRAME) received(l, *(const volatile uint64_t *)frame.data);
  }
}

static void child(int which) {
  line *l = &lines[which];
  if (which != OWN_FUTEX && which != OWN_DOORBELL) STREAMEM_STORE_RELEASE(&l->ready, 1);
  if (which == BARE_FUTEX) child_bare_futex(l);
  if (which == OWN_FUTEX) child_own_futex(l);
  if (which == OWN_DOORBELL) child_own_doorbell(l);
  child_event(l, event_fds[which], which == BARE_TWO_STEP);
}

/* The second step of the bare ones: sleeps on the word, writes the eventfd. */
static void *bare_notifier(void *argument) {
  int which = (int)(intptr_t)argument;
  line *l = &lines[which];
  for (uint32_t seen = 0;;) {
    uint64_t one = 1;
    syscall(SYS_futex, &l->word, 0 /* FUTEX_WAIT */, seen, NULL, NULL, 0);
    uint32_t now = STREAMEM_LOAD_ACQUIRE(&l->word);
    if (now == seen) continue;
    seen = now;
    if (write(event_fds[which], &one, sizeof one) != sizeof one) bench_die("eventfd", "not written");
  }
  return NULL;
}

/* Returns the ns that the call itself took. */
static uint64_t ring(int which) {
  line *l = &lines[which];
  uint64_t payload[8] = {0}, start = streamem_now_ns();
  payload[0] = start;
  if (which == OWN_FUTEX || which == OWN_DOORBELL) {
    streamem_publish(which == OWN_FUTEX ? futex_ring : bell_ring, payload, sizeof payload, NULL, NULL);
  } else {
    uint64_t one = 1;
    l->sent_ns = start;
    if (which == BARE_EVENTFD && write(event_fds[which], &one, sizeof one) != sizeof one) bench_die("eventfd", "not written");
    if (which == BARE_EVENTFD) return streamem_now_ns() - start;
    STREAMEM_STORE_RELEASE(&l->word, l->word + 1);
    streamem__futex_wake(&l->word);
  }
  return streamem_now_ns() - start;
}

static void pings(int which, const char *condition, uint32_t count, uint32_t skipped, uint64_t gap_ns) {
  line *l = &lines[which];
  uint64_t at = streamem_now_ns();
  for (uint32_t i = 0; i < count; i++) {
    bench_tick(&at, gap_ns / 2);
    uint32_t before = l->done;
    l->index = i;
    uint64_t call_ns = ring(which);
    uint64_t deadline = streamem_now_ns() + 1000000000ull;
    bench_tick(&at, gap_ns / 2);
    while (l->done == before && streamem_now_ns() < deadline) streamem__sleep_ns(100000);
    if (l->done == before) bench_die(names[which], "no wake-up within a second");
    if (i < skipped) continue;
    bench_add("until the reader has the first bytes", names[which], condition, (double)l->latency_ns[i]);
    bench_add("the writer's call", names[which], condition, (double)call_ns);
  }
}

/* The n-th core that this process may use, or all of them again for -1. */
static void place(pid_t pid, int n) {
  static cpu_set_t allowed;
  cpu_set_t set;
  if (!CPU_COUNT(&allowed)) sched_getaffinity(0, sizeof allowed, &allowed);
  CPU_ZERO(&set);
  for (int cpu = 0; n >= 0 && cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed) && n-- == 0) CPU_SET(cpu, &set);
  sched_setaffinity(pid, sizeof set, CPU_COUNT(&set) ? &set : &allowed);
}

/* Left to itself the scheduler puts both on one core about half of the time, and the hand-over then takes a third: a ratio
 * of medians between two such mixtures says little. So once as it comes, and once with writer and reader on a core each. */
static void one_round(void) {
  uint32_t order[CONTENDERS];
  bench_shuffle(order, CONTENDERS);
  for (int i = 0; i < CONTENDERS; i++) {
    int which = (int)order[i];
    place(0, -1);
    place(children[which], -1);
    pings(which, "idle (30 Hz)", IDLE_PINGS, 0, BENCH_TICK_NS);
    pings(which, "hot (0.5 ms)", HOT_PINGS, HOT_SKIPPED, HOT_GAP_NS);
    place(0, 0);
    place(children[which], 1);
    pings(which, "idle, a core each", IDLE_PINGS, 0, BENCH_TICK_NS);
    pings(which, "hot, a core each", HOT_PINGS, HOT_SKIPPED, HOT_GAP_NS);
  }
}

int main(void) {
  streamem_bell *bell;
  streamem_error error;
  char path[100];
  lines = (line *)bench_shared(CONTENDERS * sizeof *lines);
  for (int i = 0; i < CONTENDERS; i++) event_fds[i] = eventfd(0, EFD_CLOEXEC);
  for (int i = 0; i < CONTENDERS; i++) { /* before there are threads and rings */
    children[i] = bench_fork();
    if (children[i] == 0) child(i);
  }
  snprintf(path, sizeof path, "%s/%s.wakeup-bell.sock", getenv("STREAMEM_DIR"), getenv("STREAMEM_PREFIX"));
  futex_ring = bench_ring("wakeup-futex", 64, 8, NULL);
  bell_ring = bench_ring("wakeup-bell", 64, 8, path);
  if (streamem_bell_start(&bell, bell_ring, path, (uint32_t)-1, &error) < 0) bench_die("doorbell", error.text);
  STREAMEM_STORE_RELEASE(&lines[OWN_DOORBELL].word, 1);
  for (intptr_t i = 0; i < CONTENDERS; i++) {
    pthread_t thread;
    if (i == BARE_TWO_STEP || i == BARE_TWO_STEP_READ) pthread_create(&thread, NULL, bare_notifier, (void *)i);
    while (!STREAMEM_LOAD_ACQUIRE(&lines[i].ready)) streamem__sleep_ns(1000000);
  }
  bench_rounds(one_round);
  for (int i = 0; i < CONTENDERS; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < CONTENDERS; i++) waitpid(children[i], NULL, 0);
  streamem_bell_stop(bell, 1);
  streamem_writer_close(bell_ring);
  streamem_writer_close(futex_ring);
  return 0;
}
