/* Prints the newest N frames as one array: stack NAME N. cc -I.. stack.c -o stack -pthread */
#include "streamem.h"

int main(int count, char **words) {
  streamem_reader *reader;
  streamem_error error;
  streamem_frame frame;
  uint32_t shape[STREAMEM_DIMENSIONS_MAX], n = count == 3 ? (uint32_t)strtoul(words[2], NULL, 10) : 0;
  if (n == 0) return fprintf(stderr, "usage: stack NAME N\n"), 2;
  if (streamem_open(&reader, NULL, words[1], 5000, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
  while (streamem_newest(reader, &frame, -1) != STREAMEM_FRAME) continue;
  uint8_t *array = (uint8_t *)malloc((size_t)n * frame.payload_bytes + 1);
  uint64_t *sequences = (uint64_t *)malloc((size_t)n * sizeof *sequences);
  int have = array && sequences ? streamem_stack(reader, n, frame.payload_bytes, array, sequences) : -ENOMEM;
  while (have >= 0 && have < (int)n) { /* beyond what the ring holds it fills as frames are taken */
    streamem_next(reader, &frame, -1);
    have = streamem_stack(reader, n, frame.payload_bytes, array, sequences);
  }
  if (have < 0) return fprintf(stderr, "stack: %s\n", strerror(-have)), 1;
  printf("stack %u", n);
  for (int d = 0, dimensions = streamem_shape(&frame, shape); d < dimensions; d++) printf("x%u", shape[d]);
  printf(" sequences");
  for (uint32_t i = 0; i < n; i++) printf(" %llu", (unsigned long long)sequences[i]);
  printf("\n");
  free(array);
  free(sequences);
  streamem_reader_close(reader);
  return 0;
}
