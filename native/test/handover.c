/* Nothing is lost between two generations: at every instruction of a reader's next() its writer publishes a last frame and
 * starts a new generation.
 *
 *   handover PREFIX
 *
 * The reader has to be given the last frame of the old generation and then the first of the new one, with none missed.
 * Prints {"steps"}; exits 1 with words. */
#include "../../clients/c/streamem.h"
#include "pattern.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static const char *prefix;
static streamem_spec spec;

static void fail(const char *what, long k) {
  fprintf(stderr, "handed over after instruction %ld: %s\n", k, what);
  exit(1);
}

/* The traced process: what it was given comes back as its exit status. */
static void read_on(uint64_t before) {
  streamem_reader *reader;
  streamem_frame frame;
  if (streamem_open(&reader, prefix, "handover", 1000, NULL) < 0 || streamem_next(reader, &frame, 0) != STREAMEM_FRAME) _exit(10);
  if (frame.sequence != before) _exit(11);
  reader->looked_ns = 0; /* it is time to look whether this generation has ended */
  ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  raise(SIGSTOP);
  int got = streamem_next(reader, &frame, 0);
  raise(SIGSTOP);
  if (got != STREAMEM_FRAME) got = streamem_next(reader, &frame, 5000);
  if (got != STREAMEM_FRAME || frame.sequence != before + 1) _exit(12);
  if (streamem_next(reader, &frame, 5000) != STREAMEM_FRAME || frame.sequence != 1) _exit(13);
  _exit(reader->missed == 0 ? 0 : 14);
}

static int hand_over_at(streamem_writer *writer, long k) {
  int status, more = 1;
  uint64_t before = writer->sequence;
  pid_t pid = fork();
  if (pid == 0) read_on(before);
  if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) fail("the reader did not start", k);
  for (long i = 0; i < k && more; i++) {
    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) fail("the reader ended", k);
    more = WSTOPSIG(status) != SIGSTOP;
  }
  if (pattern_publish(writer, before + 1) < 0 || streamem_renew(writer, &spec, NULL) < 0 || pattern_publish(writer, 1) < 0)
    fail("the writer", k);
  while (ptrace(PTRACE_CONT, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 10 || WEXITSTATUS(status) == 11) fail("the reader failed", k);
  if (WEXITSTATUS(status) == 12) fail("the last frame of the old generation was not given", k);
  if (WEXITSTATUS(status) == 13) fail("the first frame of the new generation was not given", k);
  if (WEXITSTATUS(status) == 14) fail("frames counted as missed", k);
  return more;
}

int main(int count, char **arguments) {
  streamem_writer *writer;
  streamem_error error;
  long k = 0;
  if (count != 2) return 2;
  prefix = arguments[1];
  pattern_spec(&spec, prefix, "handover", 4);
  if (streamem_create(&writer, &spec, &error) < 0) fail(error.text, 0);
  pattern_publish(writer, 1);
  while (hand_over_at(writer, k)) k++;
  streamem_writer_close(writer);
  printf("{\"steps\": %ld}\n", k);
  return 0;
}
