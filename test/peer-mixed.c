/* A peer that hands out frames mixed from two: one word in the middle of each is that of the frame before. */
#include "../bench/peers/peer.h"

static streamem_writer *writer;
static streamem_reader *reader;
static uint64_t *mixed;

void peer_open_writer(const peer_setup *setup) { writer = bench_ring(setup->name, setup->bytes, 8, NULL); }

void peer_put(const uint8_t *payload) { streamem_publish(writer, payload, peer.setup.bytes, NULL, NULL); }

void peer_close_writer(void) { streamem_writer_close(writer); }

void peer_open_reader(const peer_setup *setup) {
  streamem_error error;
  mixed = (uint64_t *)calloc(1, setup->bytes);
  if (!mixed || streamem_open(&reader, NULL, setup->name, 20000, &error) < 0) bench_die(setup->name, error.text);
}

const uint8_t *peer_get(void) {
  static uint64_t kept;
  streamem_frame frame;
  while (streamem_next(reader, &frame, -1) != STREAMEM_FRAME) continue;
  streamem_copy(&frame, mixed, peer.setup.bytes);
  uint64_t *middle = mixed + peer.setup.bytes / 16, own = *middle;
  *middle = kept;
  kept = own;
  return (const uint8_t *)mixed;
}

int peer_done(void) { return 1; }
