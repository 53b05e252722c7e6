/* A writer at full rate: matrix_writer PREFIX STREAM BYTES SLOTS SECONDS. Word i of frame s is (s + i) * WORD, so that no frame
 * mixed from two can pass. Prints {"published"}. */
#include "streamem.h"

#define WORD 0x9e3779b97f4a7c15ull

int main(int count, char **words) {
  streamem_writer *writer;
  streamem_error error;
  streamem_spec spec;
  char descriptor[128];
  if (count != 6) return 2;
  memset(&spec, 0, sizeof spec);
  spec.prefix = words[1];
  spec.name = words[2];
  spec.payload_capacity = strtoull(words[3], NULL, 10);
  spec.slot_count = (uint32_t)strtoul(words[4], NULL, 10);
  spec.group = (uint32_t)-1;
  snprintf(descriptor, sizeof descriptor, "{\"kind\":\"tensor\",\"dtype\":\"|u1\",\"shape\":[%s]}", words[3]);
  spec.descriptor = descriptor;
  if (streamem_create(&writer, &spec, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
  for (uint64_t end = streamem_now_ns() + strtoull(words[5], NULL, 10) * 1000000000ull; streamem_now_ns() < end;) {
    void *payload;
    if (streamem_acquire(writer, &payload) < 0) return 1;
    uint64_t value = (writer->sequence + 1) * WORD;
    for (uint64_t i = 0; i < spec.payload_capacity / 8; i++, value += WORD) ((uint64_t *)payload)[i] = value;
    if (streamem_commit(writer, spec.payload_capacity, NULL, NULL) < 0) return 1;
  }
  printf("{\"published\": %llu}\n", (unsigned long long)writer->sequence);
  streamem_writer_close(writer);
  return 0;
}
