/* Prints what the newest frame of each ring file named refers to, null or {stream, generation, sequence, captureTimeNs}: a line each. */
#include "streamem_message.h"

int main(int count, char **paths) {
  for (int i = 1; i < count; i++) {
    streamem_reader *reader;
    streamem_error error;
    streamem_frame frame;
    streamem_reference r;
    if (streamem_open(&reader, NULL, paths[i], 0, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
    if (streamem_latest(reader, &frame) == STREAMEM_FRAME && streamem_refers_to(&frame, &r) == 1) {
      printf("{\"stream\": \"%s\", \"generation\": \"", r.stream);
      for (int b = 0; b < 16; b++) printf("%02x", r.generation[b]);
      printf("\", \"sequence\": \"%llu\", ", (unsigned long long)r.sequence);
      if (r.capture_time_ns == STREAMEM_UNKNOWN) printf("\"captureTimeNs\": null}\n");
      else printf("\"captureTimeNs\": \"%llu\"}\n", (unsigned long long)r.capture_time_ns);
    } else printf("null\n");
    streamem_reader_close(reader);
  }
  return 0;
}
