/* A reader that checks every frame of the pattern and says what it saw.
 *
 *   reader PREFIX NAME futex|epoll COUNT [TIMEOUT_MS]
 *
 * Takes frames with next() until it has COUNT of them, or the input ends, or none came for TIMEOUT_MS (default 10000).
 * A line for each generation met, {"generation", "sequence", "fds"}, and at the end
 * {"deliveries", "missed", "torn", "generations", "wakeups", "state"}. With epoll it waits on streamem_fd only. */
#include "../../clients/c/streamem.h"
#include "pattern.h"

#include <poll.h>

static const char *const states[] = {"live", "stalled", "dead", "retired"};

static int open_files(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder && readdir(folder)) count++;
  closedir(folder);
  return count - 3;
}

/* 0 when the time is up, -1 when the input has ended. The descriptor is a hint and may be readable for nothing. */
static int wait_on(int fd, uint64_t deadline_ns) {
  struct pollfd both[2] = {{0, POLLIN, 0}, {fd, POLLIN, 0}};
  uint64_t now = streamem_now_ns();
  if (now >= deadline_ns) return 0;
  if (poll(both, 2, (int)((deadline_ns - now) / 1000000) + 1) > 0 && both[0].revents) return -1;
  return 1;
}

static int input_ended(void) {
  struct pollfd input = {0, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

int main(int count, char **arguments) {
  streamem_reader *reader;
  streamem_error error;
  streamem_frame frame;
  uint64_t deliveries = 0, torn = 0, generations = 0, wakeups = 0;
  uint8_t generation[16] = {0};
  if (count < 5) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int epoll = strcmp(arguments[3], "epoll") == 0;
  uint64_t wanted = strtoull(arguments[4], NULL, 10), patience_ns = (count > 5 ? strtoull(arguments[5], NULL, 10) : 10000) * 1000000ull;
  if (streamem_open(&reader, arguments[1], arguments[2], 10000, &error) < 0) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  int fd = epoll ? streamem_fd(reader) : -1;
  uint64_t deadline = streamem_now_ns() + patience_ns;
  while (deliveries < wanted) {
    int got = streamem_next(reader, &frame, epoll ? 0 : 100);
    if (got == STREAMEM_FRAME) {
      if (memcmp(generation, frame.generation, 16) != 0) {
        char hex[33];
        for (int i = 0; i < 16; i++) snprintf(hex + 2 * i, 3, "%02x", frame.generation[i]);
        memcpy(generation, frame.generation, 16);
        generations++;
        printf("{\"generation\": \"%s\", \"sequence\": %llu, \"fds\": %d}\n", hex, (unsigned long long)frame.sequence, open_files());
      }
      int whole = pattern_numbers_hold(&frame) && pattern_holds((const uint64_t *)frame.data, frame.payload_bytes, frame.sequence);
      if (streamem_valid(&frame)) {
        deliveries++;
        torn += !whole;
      }
      deadline = streamem_now_ns() + patience_ns;
      if (deliveries % 256 != 0) continue;
    }
    if (!epoll && (input_ended() || streamem_now_ns() >= deadline)) break;
    if (epoll && wait_on(fd, deadline) <= 0) break;
    wakeups += epoll;
  }
  printf("{\"deliveries\": %llu, \"missed\": %llu, \"torn\": %llu, \"generations\": %llu, \"wakeups\": %llu, \"state\": \"%s\"}\n",
         (unsigned long long)deliveries, (unsigned long long)reader->missed, (unsigned long long)torn,
         (unsigned long long)generations, (unsigned long long)wakeups, states[streamem_state(reader)]);
  streamem_reader_close(reader);
  return 0;
}
