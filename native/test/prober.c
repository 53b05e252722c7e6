/* Asks without a pause whether a stream has a writer, as readers do.
 *
 *   prober PREFIX NAME      until the input ends; then {"asked", "held"} */
#include "../../clients/c/streamem.h"

#include <poll.h>

int main(int count, char **arguments) {
  char path[160];
  struct pollfd input = {0, POLLIN, 0};
  unsigned long asked = 0, held = 0;
  if (count != 3) return 2;
  streamem__ring_path(path, sizeof path, arguments[1], arguments[2]);
  printf("probing\n");
  fflush(stdout);
  while (asked % 64 != 0 || poll(&input, 1, 0) == 0) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    asked++;
    if (fd < 0) continue;
    held += (unsigned long)streamem_lock_held(fd);
    close(fd);
  }
  printf("{\"asked\": %lu, \"held\": %lu}\n", asked, held);
  return 0;
}
