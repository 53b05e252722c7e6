/* What a reader has of a ring it cannot write to.
 *
 *   readonly PREFIX NAME      prints how each attempt ended, a word each: write, mprotect, pwrite, ftruncate, lock */
#include "../../clients/c/streamem.h"

#include <sys/wait.h>

static const char *outcome(int result) { return result == 0 ? "done" : strerrorname_np(errno); }

static const char *write_to(const streamem_ring *ring) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    *(volatile uint8_t *)(uintptr_t)(ring->base + ring->slots_offset) = 1;
    _exit(0);
  }
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "done";
}

int main(int count, char **arguments) {
  streamem_reader *reader;
  streamem_error error;
  short exclusive = F_WRLCK;
  if (count != 3 || streamem_open(&reader, arguments[1], arguments[2], 1000, &error) < 0) return 1;
  streamem_ring *ring = reader->ring;
  printf("%s ", write_to(ring));
  printf("%s ", outcome(mprotect((void *)(uintptr_t)ring->base, ring->mapped_bytes, PROT_READ | PROT_WRITE)));
  printf("%s ", outcome(pwrite(ring->fd, "x", 1, 0) == 1 ? 0 : -1));
  printf("%s ", outcome(ftruncate(ring->fd, 0)));
  printf("%s\n", outcome(streamem__ofd_lock(ring->fd, F_OFD_SETLK, &exclusive)));
  streamem_reader_close(reader);
  return 0;
}
