/* A reader of another user that reads its bell into memory that never comes, and so stays inside the kernel's read().
 *
 *   stall SOCKET UID GID      as root: says "stalled" when it hangs, or "no userfaultfd"; lives until the input ends
 *
 * Any user can have such memory: a mapped file of a FUSE file system of his own that does not answer. Here it is a page
 * of userfaultfd(2), which only root may have this way, so it is made before the user is changed. */
#include "../../clients/c/streamem.h"

#include <grp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>

static streamem__bell_offer offer;
static void *never;

static void *hang(void *nothing) {
  struct pollfd bell = {offer.event_fd, POLLIN, 0};
  while (poll(&bell, 1, -1) < 1) continue;
  if (read(offer.event_fd, never, 64) < 0) perror("read");
  return nothing;
}

int main(int count, char **arguments) {
  struct uffdio_api api = {.api = UFFD_API};
  pthread_t thread;
  char byte;
  if (count != 4) return 2;
  int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0) {
    printf("no userfaultfd\n");
    return 0;
  }
  never = mmap(NULL, STREAMEM_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register missing = {.range = {(uintptr_t)never, STREAMEM_PAGE_BYTES}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  gid_t group = (gid_t)atoi(arguments[3]);
  if (ioctl(faults, UFFDIO_REGISTER, &missing) != 0 || setgroups(1, &group) != 0 || setgid(group) != 0 || setuid((uid_t)atoi(arguments[2])) != 0) return 1;
  int bell = streamem__bell_connect(arguments[1], &offer);
  if (bell < 0) {
    printf("%s\n", strerror(-bell));
    return 1;
  }
  pthread_create(&thread, NULL, hang, NULL);
  struct pollfd fault = {faults, POLLIN, 0};
  while (poll(&fault, 1, -1) < 1) continue;
  printf("stalled\n");
  fflush(stdout);
  return read(0, &byte, 1) < 0;
}
