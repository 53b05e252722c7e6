/* A writer killed at every store, and at every system call of creating, taking over, renewing and ending.
 *
 *   kill PREFIX FOLDER publish    SIGKILL after the k-th instruction of a publish, for every k
 *   kill PREFIX FOLDER create|takeover|renew|close|bell|sweep
 *                                 SIGKILL at the k-th stop at a system call, entry and return, for every k
 *
 * FOLDER is for the doorbell's socket.
 * After each kill: readers that were there before are given whole frames only, see the death or the end, a new writer
 * takes over at once, they follow it, and nothing is left in /dev/shm. Prints {"kills", "whole"}; exits 1 with words. */
#include "../shim.c"
#include "pattern.h"

#include <signal.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#define SLOTS 4u
#define BEFORE 6u /* frames before the fatal one: its slot is in the second lap */

static const char *prefix, *folder;
static unsigned long kills, whole;

static void fail(const char *what, long k) {
  fprintf(stderr, "after stop %ld: %s\n", k, what);
  exit(1);
}
#define NEED(condition) do { if (!(condition)) fail(#condition, k); } while (0)

static streamem_writer *start(long k) {
  streamem_writer *writer;
  streamem_error error;
  streamem_spec spec;
  pattern_spec(&spec, prefix, "kill", SLOTS);
  spec.payload_capacity = 64;
  if (streamem_create(&writer, &spec, &error) < 0) fail(error.text, k);
  return writer;
}

static int publish_small(streamem_writer *writer, uint64_t sequence) {
  uint64_t words[8], fields[PATTERN_FIELDS];
  streamem_meta meta;
  pattern_meta(&meta, fields, sequence);
  meta.dimensions = 0; /* 64 bytes whatever the sequence */
  pattern_fill(words, sizeof words, sequence);
  return streamem_publish(writer, words, sizeof words, &meta, fields);
}

/* What the frame shows is what was written under its sequence, and under no other. */
static void check_whole(const streamem_frame *frame, long k) {
  NEED(frame->payload_bytes == 64 && frame->capture_time_ns == frame->sequence * 1000);
  NEED(frame->device_time == pattern_word(frame->sequence, 1001));
  NEED(pattern_holds((const uint64_t *)frame->data, 64, frame->sequence));
  NEED(pattern_fields_hold((const uint64_t *)frame->fields, frame->fields_bytes, frame->sequence));
  NEED(streamem_valid(frame));
  whole++;
}

/* Every slot by every sequence it may hold, also those that no verb looks at. Returns the newest whole one. */
static uint64_t check_ring(streamem_reader *reader, long k) {
  streamem_frame frame;
  uint64_t newest = 0;
  for (uint64_t s = 1; s <= BEFORE + 2; s++)
    if (streamem__read(reader->ring, s, &frame)) {
      check_whole(&frame, k);
      newest = s;
    }
  return newest;
}

/* Files of ours in /dev/shm, or all in the folder of the test's own. */
static int files_in(const char *path) {
  char ours[64], hidden[64];
  int count = 0, all = path == folder;
  DIR *listing = opendir(path);
  snprintf(ours, sizeof ours, "%s.", prefix);
  snprintf(hidden, sizeof hidden, ".%s.", prefix);
  for (struct dirent *entry; (entry = readdir(listing));)
    count += all || strncmp(entry->d_name, ours, strlen(ours)) == 0 || strncmp(entry->d_name, hidden, strlen(hidden)) == 0;
  closedir(listing);
  return all ? count - 2 : count; /* . and .. */
}

static streamem_bell *open_bell(streamem_writer *writer) {
  char path[200];
  streamem_bell *bell = NULL;
  streamem_error error;
  snprintf(path, sizeof path, "%s/%s.kill.sock", folder, prefix);
  if (streamem_bell_start(&bell, writer, path, (uint32_t)-1, &error) < 0) fprintf(stderr, "%s\n", error.text);
  return bell;
}

static streamem_reader *watch(long k) {
  streamem_reader *reader;
  streamem_error error;
  if (streamem_open(&reader, prefix, "kill", 0, &error) < 0) fail(error.text, k);
  return reader;
}

/* The successor: one ring and one lock in /dev/shm, and whoever read before reads on. */
static void succeed(streamem_reader *reader, long k) {
  streamem_frame frame;
  streamem_writer *writer = start(k);
  streamem_bell *bell = open_bell(writer);
  NEED(files_in("/dev/shm") == 2 && files_in(folder) == 1);
  NEED(publish_small(writer, 1) == 0);
  if (reader) {
    int got;
    do got = streamem_newest(reader, &frame, 5000); /* first perhaps what the dead one published last */
    while (got == STREAMEM_FRAME && memcmp(frame.generation, writer->generation, 16) != 0);
    NEED(got == STREAMEM_FRAME && frame.sequence == 1);
    check_whole(&frame, k);
    NEED(streamem_state(reader) == STREAMEM_LIVE);
  }
  streamem_bell_stop(bell, 1);
  streamem_writer_close(writer);
  NEED(files_in("/dev/shm") == 0 && files_in(folder) == 0);
}

/* ---- The victim. ------------------------------------------------------------------------------------- */

static void stop_here(void) { raise(SIGSTOP); }

static void victim(const char *act) {
  ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  streamem_writer *writer = NULL;
  streamem_spec spec;
  pattern_spec(&spec, prefix, "kill", SLOTS);
  spec.payload_capacity = 64;
  if (strcmp(act, "create") != 0 && strcmp(act, "takeover") != 0 && strcmp(act, "sweep") != 0) {
    writer = start(-1);
    for (uint64_t s = 1; s <= BEFORE; s++) publish_small(writer, s);
  }
  stop_here();
  if (strcmp(act, "publish") == 0) publish_small(writer, BEFORE + 1);
  else if (strcmp(act, "renew") == 0) streamem_renew(writer, &spec, NULL);
  else if (strcmp(act, "close") == 0) streamem_writer_close(writer);
  else if (strcmp(act, "bell") == 0) streamem_bell_stop(open_bell(writer), 1);
  else if (strcmp(act, "sweep") == 0) streamem_sweep(prefix, "kill");
  else streamem_create(&writer, &spec, NULL);
  stop_here();
  _exit(0);
}

/* Runs the victim to its first stop. */
static pid_t begin(const char *act) {
  int status;
  pid_t pid = fork();
  if (pid == 0) victim(act);
  if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) fail("the victim did not stop", 0);
  return pid;
}

/* Reading the clock takes now more, now fewer instructions: counted, they would shift the steps behind them, and a kill
 * between two given stores would be a matter of luck. */
static int in_clock(pid_t pid) {
#ifdef __x86_64__
  uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
  uint64_t at = (uint64_t)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), NULL);
  return at >= vdso && at < vdso + 2 * STREAMEM_PAGE_BYTES;
#else
  (void)pid;
  return 0;
#endif
}

/* Steps it k times and kills it there. 0 when it came to its second stop before. */
static int kill_at(pid_t pid, int how, long k) {
  int status, reached = 1;
  for (long i = 0; i < k && reached; i++) {
    if (ptrace((enum __ptrace_request)how, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
      fail("the victim ended by itself", k);
    reached = WSTOPSIG(status) != SIGSTOP;
    if (how == PTRACE_SINGLESTEP && reached && in_clock(pid)) i--;
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  kills++;
  return reached;
}

static int publish_until(long k) {
  pid_t pid = begin("publish");
  streamem_reader *reader = watch(k);
  streamem_frame frame, frames[3];
  int more = kill_at(pid, PTRACE_SINGLESTEP, k);
  NEED(streamem_state(reader) == STREAMEM_DEAD);
  uint64_t newest = check_ring(reader, k), latest = streamem__header(reader->ring)->latest;
  NEED(newest == BEFORE || newest == BEFORE + 1);
  NEED(latest == BEFORE || latest == BEFORE + 1);
  NEED(streamem_latest(reader, &frame) == STREAMEM_FRAME && frame.sequence == latest); /* the last good one stays */
  check_whole(&frame, k);
  NEED(streamem_last(reader, frames, 3) >= 2); /* and the history, but for the slot being written */
  succeed(reader, k);
  streamem_reader_close(reader);
  return more;
}

static int act_until(const char *act, long k) {
  pid_t before = strcmp(act, "takeover") == 0 || strcmp(act, "sweep") == 0 ? begin("publish") : 0;
  streamem_reader *reader = before ? watch(k) : NULL;
  if (before) kill_at(before, PTRACE_SINGLESTEP, 0);
  pid_t pid = begin(act);
  if (!reader && strcmp(act, "create") != 0) reader = watch(k);
  int more = kill_at(pid, PTRACE_SYSCALL, k);
  if (reader) {
    int state = streamem_state(reader);
    NEED(state == STREAMEM_DEAD || state == STREAMEM_RETIRED);
    check_ring(reader, k);
  }
  succeed(reader, k);
  streamem_reader_close(reader);
  return more;
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  prefix = arguments[1];
  folder = arguments[2];
  for (long k = 0, more = 1; more; k++)
    more = strcmp(arguments[3], "publish") == 0 ? publish_until(k) : act_until(arguments[3], k);
  printf("{\"kills\": %lu, \"whole\": %lu}\n", kills, whole);
  return 0;
}
