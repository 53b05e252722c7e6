/* peer: {"contenders": [{"name": "floor: memcpy, FUTEX_WAKE, sum", "mode": "blocking"}]} */
/* What no system that copies a frame once can do without: memcpy into warm shared memory, one wake-up, and the sum.
 * No sequence of its own, no check, no history beyond its slots. */
#include "peer.h"

#define SLOTS 8

typedef struct bare {
  uint32_t word; /* counts frames; readers sleep on it */
  uint8_t apart[4092];
  uint8_t slots[];
} bare;

static bare *shared;
static uint64_t stride;
static uint32_t seen;

/* By fork alone it could not be shared: readers are started before the writer opens. */
static bare *map_bare(const peer_setup *setup, int flags) {
  char path[200];
  stride = streamem__round_up(setup->bytes, 4096);
  snprintf(path, sizeof path, "/dev/shm/.%s.%s.floor", streamem__prefix(NULL), setup->name);
  uint64_t bytes = sizeof(bare) + SLOTS * stride;
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return NULL;
  struct stat status;
  if (flags & O_CREAT && posix_fallocate(fd, 0, (off_t)bytes) != 0) bench_die(path, "posix_fallocate failed");
  if (fstat(fd, &status) != 0 || (uint64_t)status.st_size < bytes) {
    close(fd);
    return NULL; /* not yet whole */
  }
  void *map = mmap(NULL, bytes, flags & O_CREAT ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  close(fd);
  return map == MAP_FAILED ? NULL : (bare *)map;
}

void peer_open_writer(const peer_setup *setup) { shared = map_bare(setup, O_RDWR | O_CREAT); }

void peer_put(const uint8_t *payload) {
  memcpy(shared->slots + shared->word % SLOTS * stride, payload, peer.setup.bytes);
  STREAMEM_STORE_RELEASE(&shared->word, shared->word + 1);
  streamem__futex_wake(&shared->word);
}

void peer_close_writer(void) {
  char path[200];
  snprintf(path, sizeof path, "/dev/shm/.%s.%s.floor", streamem__prefix(NULL), peer.setup.name);
  unlink(path);
}

void peer_open_reader(const peer_setup *setup) {
  while (!(shared = map_bare(setup, O_RDONLY))) streamem__sleep_ns(1000000);
  seen = STREAMEM_LOAD_ACQUIRE(&shared->word);
}

const uint8_t *peer_get(void) {
  uint32_t now;
  while ((now = STREAMEM_LOAD_ACQUIRE(&shared->word)) == seen) syscall(SYS_futex, &shared->word, 0 /* FUTEX_WAIT */, seen, NULL, NULL, 0);
  seen = now;
  return shared->slots + (now - 1) % SLOTS * stride;
}

int peer_done(void) { return STREAMEM_LOAD_ACQUIRE(&shared->word) - seen < SLOTS - 1; }
