/* A writer for readers in other languages: 1080p frames at 30 Hz into the ring "feed" until its stdin ends. */
#include "program.h"

#define FRAME_BYTES 6220800ull

static void *until_end_of_input(void *done) {
  while (getchar() != EOF) continue;
  STREAMEM_STORE_RELEASE((uint32_t *)done, 1);
  return NULL;
}

int main(void) {
  uint32_t done = 0;
  pthread_t thread;
  streamem_writer *writer = bench_ring("feed", FRAME_BYTES, 8, NULL);
  uint8_t *source = bench_private(FRAME_BYTES);
  uint64_t at = streamem_now_ns();
  pthread_create(&thread, NULL, until_end_of_input, &done);
  printf("{\"ready\":true}\n");
  fflush(stdout);
  while (!STREAMEM_LOAD_ACQUIRE(&done)) {
    bench_tick(&at, BENCH_TICK_NS);
    memcpy(source, &writer->sequence, 8);
    streamem_publish(writer, source, FRAME_BYTES, NULL, NULL);
  }
  streamem_writer_close(writer);
  return 0;
}
