/* peer: {"contenders": [
             {"name": "streamem, C, blocking", "mode": "blocking"},
             {"name": "streamem, C, busy-poll", "mode": "busy-poll", "readers": [1]},
             {"name": "streamem, C, epoll", "mode": "epoll"},
             {"name": "streamem, C, in place", "mode": "in-place"},
             {"name": "streamem, C writes, Python reads", "mode": "blocking", "reader": "ours.py"},
             {"name": "streamem, C writes, asyncio reads", "mode": "asyncio", "reader": "ours.py", "readers": [1]},
             {"name": "streamem, C writes, Bun reads", "mode": "blocking", "reader": "ours.ts"}]} */
/* clients/c/streamem.h as it is: publish() from private memory, views that are asked valid() after the sum. */
#include "peer.h"
#include <poll.h>

#include "../../native/doorbell.c"

static streamem_writer *writer;
static streamem_bell *bell;
static streamem_reader *reader;
static streamem_frame frame;
static enum { BLOCKING, BUSY_POLL, EPOLL } waiting;
static int fd;

/* As a decoder does that is told to write into the slot. */
static uint64_t *lend_slot(void) {
  void *slot;
  if (streamem_acquire(writer, &slot) < 0) bench_die("streamem_acquire", "failed");
  return (uint64_t *)slot;
}

void peer_open_writer(const peer_setup *setup) {
  char path[200];
  streamem_error error;
  snprintf(path, sizeof path, "%s/%s.%s.sock", getenv("STREAMEM_DIR"), streamem__prefix(NULL), setup->name);
  if (strcmp(setup->mode, "in-place") == 0) peer_lend = lend_slot;
  writer = bench_ring(setup->name, setup->bytes, 8, path);
  if (streamem_bell_start(&bell, writer, path, (uint32_t)-1, &error) < 0) bench_die("doorbell", error.text);
}

void peer_put(const uint8_t *payload) {
  if (peer_lend) streamem_commit(writer, peer.setup.bytes, NULL, NULL);
  else streamem_publish(writer, payload, peer.setup.bytes, NULL, NULL);
}

void peer_close_writer(void) {
  streamem_bell_stop(bell, 1);
  streamem_writer_close(writer);
}

void peer_open_reader(const peer_setup *setup) {
  streamem_error error;
  if (streamem_open(&reader, NULL, setup->name, 20000, &error) < 0) bench_die(setup->name, error.text);
  if (strcmp(setup->mode, "busy-poll") == 0) waiting = BUSY_POLL;
  if (strcmp(setup->mode, "epoll") != 0) return;
  waiting = EPOLL;
  streamem__sleep_ns(20000000); /* until the doorbell is open: later readers ring themselves, which is another measurement */
  fd = streamem_fd(reader);
  if (fd < 0 || reader->bell_socket < 0) bench_die("streamem_fd", "no doorbell");
}

const uint8_t *peer_get(void) {
  struct epoll_event event;
  for (;;) {
    if (waiting == EPOLL && epoll_wait(fd, &event, 1, -1) < 1) continue;
    if (streamem_newest(reader, &frame, waiting == BLOCKING ? -1 : 0) == STREAMEM_FRAME) return (const uint8_t *)frame.data;
  }
}

int peer_done(void) { return streamem_valid(&frame); }
