/* Takes each frame and prints shape, rate and missed frames once a second: follow NAME [COUNT]. cc -I.. follow.c -o follow -pthread */
#include "streamem.h"

int main(int count, char **words) {
  streamem_reader *reader;
  streamem_error error;
  streamem_frame frame;
  uint32_t shape[STREAMEM_DIMENSIONS_MAX];
  if (count < 2 || count > 3) return fprintf(stderr, "usage: follow NAME [COUNT]\n"), 2;
  if (streamem_open(&reader, NULL, words[1], 5000, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  uint64_t most = count > 2 ? strtoull(words[2], NULL, 10) : ~0ull, frames = 0, missed = 0, start = streamem_now_ns();
  for (uint64_t taken = 1; taken <= most; taken++) {
    while (streamem_next(reader, &frame, -1) != STREAMEM_FRAME) continue;
    frames++;
    missed += frame.missed;
    double seconds = (double)(streamem_now_ns() - start) / 1e9;
    if (seconds < 1 && taken < most) continue;
    printf("shape ");
    for (int d = 0, n = streamem_shape(&frame, shape); d < n; d++) printf(d ? "x%u" : "%u", shape[d]);
    printf(" rate %.1f missed %llu\n", (double)frames / seconds, (unsigned long long)missed);
    frames = missed = 0;
    start = streamem_now_ns();
  }
  streamem_reader_close(reader);
  return 0;
}
