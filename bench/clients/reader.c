/* latest() with valid(), and a checked copy into the caller's memory, beside memcpy from the same mapping into the same place. */
#include "../program.h"

#define BYTES_MAX 6220800ull

static streamem_reader *readers[3];
static uint8_t *out;
static const char *const names[] = {"clients-64b", "clients-720p", "clients-1080p"};
static const char *const latests[] = {"latest(), 64 B", "latest(), 720p", "latest(), 1080p"};
static const char *const copies[] = {"a checked copy, 64 B", "a checked copy, 720p", "a checked copy, 1080p"};

static void one_round(void) {
  for (int i = 0; i < 3; i++) {
    streamem_frame frame;
    int calls = i ? 5 : 1000;
    uint64_t whole = 0, start = streamem_now_ns();
    for (int k = 0; k < 1000; k++) whole += streamem_latest(readers[i], &frame) == STREAMEM_FRAME && streamem_valid(&frame);
    bench_add(latests[i], "C", "hot", (double)(streamem_now_ns() - start) / 1000);
    start = streamem_now_ns();
    for (int k = 0; k < calls; k++) whole += streamem_copy(&frame, out, BYTES_MAX) == 0;
    bench_add(copies[i], "C", "hot", (double)(streamem_now_ns() - start) / calls);
    start = streamem_now_ns();
    for (int k = 0; k < calls; k++) {
      memcpy(out, frame.data, frame.payload_bytes);
      __asm__ volatile("" ::: "memory"); /* each copy is made */
    }
    bench_add(copies[i], "memcpy", "hot", (double)(streamem_now_ns() - start) / calls);
    if (whole != 1000 + (uint64_t)calls) bench_die(names[i], "a frame was not whole");
  }
}

int main(void) {
  out = bench_private(BYTES_MAX);
  for (int i = 0; i < 3; i++) readers[i] = bench_reader(names[i]);
  bench_rounds(one_round);
  return 0;
}
