/* A writer whose system calls are counted from outside: `strace -c` without -f sees this thread alone, the publishing one.
 *
 *   steady PREFIX BELL|-      says "ready", publishes at full rate until SIGUSR1, says "sequence S" and ends as if killed
 *
 * Between the first frame and the last it makes no system call but those of publishing. */
#include "../shim.c"
#include "pattern.h"

static volatile sig_atomic_t enough;

static void stop(int signal_number) { enough = signal_number; }

int main(int count, char **arguments) {
  streamem_writer *writer;
  streamem_bell *bell;
  streamem_error error;
  streamem_spec spec;
  char line[32];
  if (count != 3) return 2;
  signal(SIGUSR1, stop);
  pattern_spec(&spec, arguments[1], "steady", 4);
  if (arguments[2][0] != '-') spec.wake_path = arguments[2];
  if (streamem_create(&writer, &spec, &error) < 0 || (spec.wake_path && streamem_bell_start(&bell, writer, spec.wake_path, spec.group, &error) < 0)) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  if (write(1, "ready\n", 6) != 6) return 1;
  for (uint64_t s = 1; !enough; s++)
    if (pattern_publish(writer, s) < 0) return 1;
  int length = snprintf(line, sizeof line, "sequence %llu\n", (unsigned long long)writer->sequence);
  _exit(write(1, line, (size_t)length) == length ? 0 : 1); /* the end of a doorbell takes now more, now fewer calls */
}
