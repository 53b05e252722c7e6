/* Prints the newest frame's sequence, shape, dtype and age: latest NAME. cc -I.. latest.c -o latest -pthread */
#include "streamem.h"

/* The descriptor's dtype, or "record" where it is none of one word. */
static void print_dtype(const streamem_reader *reader) {
  const char *json;
  uint32_t bytes = streamem_descriptor(reader, &json);
  const char *dtype = streamem__json_member(json, bytes, "dtype"), *end = dtype ? (const char *)memchr(dtype + 1, '"', (size_t)(json + bytes - dtype - 1)) : NULL;
  if (dtype && *dtype == '"' && end) printf(" dtype %.*s", (int)(end - dtype - 1), dtype + 1);
  else printf(" dtype record");
}

int main(int count, char **words) {
  streamem_reader *reader;
  streamem_error error;
  streamem_frame frame;
  uint32_t shape[STREAMEM_DIMENSIONS_MAX];
  if (count != 2) return fprintf(stderr, "usage: latest NAME\n"), 2;
  if (streamem_open(&reader, NULL, words[1], 5000, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
  if (streamem_latest(reader, &frame) == STREAMEM_FRAME) {
    printf("sequence %llu shape ", (unsigned long long)frame.sequence);
    for (int d = 0, n = streamem_shape(&frame, shape); d < n; d++) printf(d ? "x%u" : "%u", shape[d]);
    print_dtype(reader);
    uint64_t since = frame.capture_time_ns == STREAMEM_UNKNOWN ? frame.publish_time_ns : frame.capture_time_ns;
    printf(" age_ms %.1f\n", (double)(int64_t)(streamem_now_ns() - since) / 1e6);
  } else printf("no frame yet\n");
  streamem_reader_close(reader);
  return 0;
}
