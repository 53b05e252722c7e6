/* peer.h - how a system that carries frames is measured: a peer is one file that says how it puts a frame and gets one.
 *
 * One process writes, others read, all of them children of this program, which speaks the protocol of ../program.h. In a
 * turn the writer puts some frames that nobody counts, for the memory that it goes round in was others' meanwhile; then paced ones, each
 * when the one before has long arrived; then as many as it can in a burst. A frame is words
 * of 64 bits: its sequence, the time just before the put, what it is for, then words that all depend on the sequence and on
 * their own place. A reader sums every word, and a frame mixed from two is known by that sum.
 *
 * What readers find they write into a control file, which readers in other languages map too. Words of 64 bits: word 0 is the
 * size of a frame; the block of reader i begins at word 4096 * (i + 1):
 *   0 ready, 1 process id, 2 warm-up frames received, 3 paced frames received, 4 burst frames received, 5 torn, 6 given up because they
 *   were overwritten, 7 time of the last frame, 8 ns in the calls that gave burst frames, waiting included; from word 16 on, for each paced frame: ns from before the put until its bytes were in
 *   hand, and until all of them were summed. */
#ifndef PEER_H
#define PEER_H

#include "../program.h"

enum { PEER_WARM_UP, PEER_PACED, PEER_BURST, PEER_END };
#define PEER_BLOCK_WORDS 4096ull
#define PEER_SAMPLES_AT 16
#define PEER_SAMPLES_MAX 2000
#define PEER_READERS_MAX 64
#define PEER_OWN_WORDS 3 /* sequence, time, purpose */
#define PEER_WARM_UPS 10 /* more than the slots of any peer here */
#define PEER_PATIENCE 6  /* times as long as planned, then a turn is cut short */

/* ---- What a peer gives. ------------------------------------------------------------------------------ */

typedef struct peer_setup {
  const char *name; /* of this run alone */
  const char *mode; /* one of those that the peer's first comment names */
  uint64_t bytes;
  int readers;
} peer_setup;

void peer_open_writer(const peer_setup *setup);
/** Carries `payload` of setup->bytes, which is the writer's own memory and is written again after the call. */
void peer_put(const uint8_t *payload);
void peer_close_writer(void);
void peer_open_reader(const peer_setup *setup);
/** Waits for a frame not taken yet, however long; its bytes. */
const uint8_t *peer_get(void);
/** Where the next frame is made, for a peer that lends its own memory; NULL: in the writer's. */
static uint64_t *(*peer_lend)(void);
/** After the bytes were used: lets go of them. 0 when they were overwritten meanwhile and the peer knows it. */
int peer_done(void);

/* ---- Frames. ----------------------------------------------------------------------------------------- */

static inline uint64_t peer_mixed(uint64_t sequence) {
  uint64_t z = sequence * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  return z ^ (z >> 31);
}

static inline void peer_fill(uint64_t *words, uint64_t bytes, uint64_t sequence) {
  uint64_t mixed = peer_mixed(sequence);
  for (uint64_t i = PEER_OWN_WORDS; i < bytes / 8; i++) words[i] = i * 0x9e3779b97f4a7c15ull + mixed;
}

/** What the words of a whole frame add up to, those of its own not counted. */
static inline uint64_t peer_expected(uint64_t bytes, uint64_t sequence) {
  uint64_t n = bytes / 8, places = n * (n - 1) / 2 - PEER_OWN_WORDS * (PEER_OWN_WORDS - 1) / 2;
  return places * 0x9e3779b97f4a7c15ull + (n - PEER_OWN_WORDS) * peer_mixed(sequence);
}

static inline uint64_t peer_sum(const uint64_t *words, uint64_t bytes) {
  uint64_t sum[4] = {0, 0, 0, 0}, n = bytes / 8, i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++) sum[k] += words[i + k];
  for (; i < n; i++) sum[0] += words[i];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

/* ---- A reader. --------------------------------------------------------------------------------------- */

static inline void peer_read_for_ever(volatile uint64_t *block, const peer_setup *setup) {
  peer_open_reader(setup);
  block[1] = (uint64_t)getpid();
  __atomic_store_n(&block[0], 1, __ATOMIC_RELEASE);
  for (;;) {
    uint64_t asked = streamem_now_ns();
    const uint64_t *words = (const uint64_t *)(const void *)peer_get();
    uint64_t in_hand = streamem_now_ns(), sequence = words[0], sent = words[1], purpose = words[2];
    uint64_t sum = peer_sum(words, setup->bytes);
    uint64_t summed = streamem_now_ns();
    if (!peer_done()) {
      block[6]++;
      continue;
    }
    if (sum - sequence - sent - purpose != peer_expected(setup->bytes, sequence)) block[5]++;
    if (purpose == PEER_PACED && block[3] < PEER_SAMPLES_MAX) {
      block[PEER_SAMPLES_AT + 2 * block[3]] = in_hand - sent;
      block[PEER_SAMPLES_AT + 2 * block[3] + 1] = summed - sent;
    }
    if (purpose == PEER_BURST) block[8] += in_hand - asked;
    block[7] = summed;
    if (purpose <= PEER_BURST) __atomic_store_n(&block[2 + purpose], block[2 + purpose] + 1, __ATOMIC_RELEASE);
  }
}

/* ---- The writer. ------------------------------------------------------------------------------------- */

typedef struct peer_run {
  peer_setup setup;
  char kase[64], control_path[200];
  uint64_t *control, *source;
  uint64_t sequence;
  uint64_t period_ns, paced, burst_ns;
  pid_t pids[PEER_READERS_MAX];
} peer_run;
static peer_run peer;

static inline volatile uint64_t *peer_block(int reader) { return peer.control + PEER_BLOCK_WORDS * (uint64_t)(reader + 1); }

static inline uint64_t peer_cpu_ns(pid_t pid) {
  clockid_t clock;
  return clock_getcpuclockid(pid, &clock) == 0 ? streamem_clock_ns(clock) : 0;
}

/** Fills, then puts one frame; what only the put takes. */
static inline uint64_t peer_frame(uint64_t purpose, uint64_t *cpu_ns) {
  uint64_t *frame = peer_lend ? peer_lend() : peer.source;
  peer.sequence++;
  peer_fill(frame, peer.setup.bytes, peer.sequence);
  frame[0] = peer.sequence;
  frame[2] = purpose;
  uint64_t cpu = streamem_clock_ns(CLOCK_THREAD_CPUTIME_ID), start = streamem_now_ns();
  frame[1] = start;
  peer_put((const uint8_t *)frame);
  uint64_t end = streamem_now_ns();
  *cpu_ns += streamem_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
  return end - start;
}

/** Until every reader has `count` frames of this kind, or nothing has come for so long. */
static inline int peer_await(uint64_t purpose, uint64_t count, uint64_t patience_ns) {
  for (uint64_t start = streamem_now_ns(), seen = 0;;) {
    uint64_t least = ~0ull, all = 0;
    for (int i = 0; i < peer.setup.readers; i++) {
      uint64_t got = __atomic_load_n(&peer_block(i)[2 + purpose], __ATOMIC_ACQUIRE);
      least = got < least ? got : least;
      all += got;
    }
    if (least >= count) return 1;
    if (all != seen) start = streamem_now_ns();
    seen = all;
    if (streamem_now_ns() - start > patience_ns) return 0;
    streamem__sleep_ns(1000000);
  }
}

static inline void peer_warm_up(void) {
  uint64_t ignored = 0;
  for (uint64_t sent = 1; sent <= PEER_WARM_UPS; sent++) {
    peer_frame(PEER_WARM_UP, &ignored);
    peer_await(PEER_WARM_UP, sent, 50000000);
  }
}

static inline void peer_paced(void) {
  uint64_t at = streamem_now_ns(), put_cpu = 0, before[PEER_READERS_MAX];
  for (int i = 0; i < peer.setup.readers; i++) before[i] = peer_cpu_ns(peer.pids[i]);
  uint64_t others = streamem_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - streamem_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  uint64_t sent = 0, patience = at + PEER_PATIENCE * peer.paced * peer.period_ns;
  while (sent < peer.paced && streamem_now_ns() < patience) {
    bench_tick(&at, peer.period_ns);
    bench_add(peer.kase, "", "put", (double)peer_frame(PEER_PACED, &put_cpu));
    sent++;
  }
  peer_await(PEER_PACED, sent, 400000000);
  others = streamem_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - streamem_clock_ns(CLOCK_THREAD_CPUTIME_ID) - others;
  bench_add(peer.kase, "", "writer's CPU", (double)(put_cpu + others) / (double)sent);
  for (int i = 0; i < peer.setup.readers; i++) {
    volatile uint64_t *block = peer_block(i);
    bench_add(peer.kase, "", "reader's CPU", (double)(peer_cpu_ns(peer.pids[i]) - before[i]) / (double)sent);
    for (uint64_t k = 0; k < block[3] && k < PEER_SAMPLES_MAX; k++) {
      bench_add(peer.kase, "", "in hand", (double)block[PEER_SAMPLES_AT + 2 * k]);
      bench_add(peer.kase, "", "summed", (double)block[PEER_SAMPLES_AT + 2 * k + 1]);
    }
    bench_add(peer.kase, "", "received", (double)block[3]);
    bench_add(peer.kase, "", "sent", (double)sent);
  }
}

static inline void peer_burst(void) {
  uint64_t start = streamem_now_ns(), sent = 0, cpu = 0, put = 0, received = 0, end = start + peer.burst_ns;
  for (; streamem_now_ns() - start < peer.burst_ns; sent++) put += peer_frame(PEER_BURST, &cpu);
  peer_await(PEER_BURST, sent, 100000000);
  if (sent) bench_add(peer.kase, "", "burst put", (double)put / (double)sent);
  for (int i = 0; i < peer.setup.readers; i++) {
    uint64_t got = peer_block(i)[4];
    if (got) bench_add(peer.kase, "", "burst get", (double)peer_block(i)[8] / (double)got);
    received += got;
    end = peer_block(i)[7] > end ? peer_block(i)[7] : end;
  }
  if (sent) bench_add(peer.kase, "", "delivered", (double)received * (double)peer.setup.bytes / ((double)(end - start) / 1e9));
}

static inline void peer_round(void) {
  for (int i = 0; i < peer.setup.readers; i++) {
    if (strcmp(peer.setup.mode, "busy-poll") == 0) kill(peer.pids[i], SIGCONT);
    for (int k = 2; k < PEER_SAMPLES_AT; k++) peer_block(i)[k] = 0;
  }
  peer_warm_up();
  peer_paced();
  if (peer.burst_ns) peer_burst();
  for (int i = 0; i < peer.setup.readers; i++) {
    bench_add(peer.kase, "", "torn", (double)peer_block(i)[5]);
    if (strcmp(peer.setup.mode, "busy-poll") == 0) kill(peer.pids[i], SIGSTOP); /* it would spin beside the others' turns */
  }
}

static inline void peer_start_reader(int index, char **command) {
  peer.pids[index] = bench_fork();
  if (peer.pids[index]) return;
  if (!command[0]) peer_read_for_ever(peer_block(index), &peer.setup);
  char *words[32], bytes[24], number[12];
  int n = 0;
  while (command[n] && n < 26) { words[n] = command[n]; n++; }
  snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)peer.setup.bytes);
  snprintf(number, sizeof number, "%d", index);
  words[n++] = peer.control_path;
  words[n++] = (char *)peer.setup.name;
  words[n++] = bytes;
  words[n++] = number;
  words[n] = NULL;
  execvp(words[0], words);
  bench_die(words[0], strerror(errno));
}

static inline void peer_map_control(void) {
  uint64_t bytes = PEER_BLOCK_WORDS * 8 * (uint64_t)(peer.setup.readers + 1);
  snprintf(peer.control_path, sizeof peer.control_path, "/dev/shm/.%s.%s.control", streamem__prefix(NULL), peer.setup.name);
  int fd = open(peer.control_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0) bench_die(peer.control_path, strerror(errno));
  peer.control = (uint64_t *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (peer.control == MAP_FAILED) bench_die("mmap", strerror(errno));
  close(fd);
  peer.control[0] = peer.setup.bytes;
}

/** argv: name, mode, bytes, readers, paced frames a turn, their rate, ms of burst; then the command of a reader in another
 *  language, which gets control file, name, bytes and its number after its own words. */
int main(int argc, char **argv) {
  if (argc < 8) bench_die(argv[0], "name mode bytes readers paced rate burst-ms [reader ...]");
  peer_setup setup = {argv[1], argv[2], strtoull(argv[3], NULL, 10), atoi(argv[4])};
  peer.setup = setup;
  peer.paced = strtoull(argv[5], NULL, 10);
  peer.period_ns = (uint64_t)(1e9 / atof(argv[6]));
  peer.burst_ns = strtoull(argv[7], NULL, 10) * 1000000ull;
  peer.source = (uint64_t *)(void *)bench_private(setup.bytes);
  if (setup.readers < 1 || setup.readers > PEER_READERS_MAX || setup.bytes < 64 || setup.bytes % 8) bench_die(argv[0], "readers or bytes");
  peer_map_control();
  for (int i = 0; i < setup.readers; i++) peer_start_reader(i, argv + 8);
  peer_open_writer(&peer.setup);
  uint64_t ignored = 0, start = streamem_now_ns();
  do { /* whoever connects late, or forgets to say so, is known to be there by a frame */
    if (streamem_now_ns() - start > 20000000000ull) bench_die(setup.name, "a reader has received nothing for 20 s");
    peer_frame(PEER_WARM_UP, &ignored);
  } while (!peer_await(PEER_WARM_UP, 1, 50000000));
  for (int i = 0; strcmp(setup.mode, "busy-poll") == 0 && i < setup.readers; i++) kill(peer.pids[i], SIGSTOP);
  bench_rounds_of(peer_round, peer.pids, setup.readers);
  for (int i = 0; i < setup.readers; i++) kill(peer.pids[i], SIGKILL);
  for (int i = 0; i < setup.readers; i++) waitpid(peer.pids[i], NULL, 0);
  peer_close_writer();
  unlink(peer.control_path);
  return 0;
}

#endif
