/* The C runner of clients/vectors (see its README): one line of JSON for each ring file named on the command line. */
#include "streamem.h"

static void print_hex(const char *name, const void *bytes, uint64_t count, const char *after) {
  printf("\"%s\": \"", name);
  for (uint64_t i = 0; i < count; i++) printf("%02x", ((const uint8_t *)bytes)[i]);
  printf("\"%s", after);
}

static void print_text(const char *name, const char *text, size_t bytes, const char *after) {
  printf("\"%s\": \"", name);
  for (size_t i = 0; i < bytes; i++)
    printf((uint8_t)text[i] < 32 || strchr("\"\\", text[i]) ? "\\u%04x" : "%c", (uint8_t)text[i]);
  printf("\"%s", after);
}

static void print_time(const char *name, uint64_t time) {
  printf(time == STREAMEM_UNKNOWN ? "\"%s\": null, " : "\"%s\": \"%llu\", ", name, (unsigned long long)time);
}

static void print_frame(const streamem_frame *f) {
  printf("\"latest\": {\"seq\": \"%llu\", \"clockEpoch\": %u, \"dimensions\": %u, \"shape\": ",
         (unsigned long long)f->sequence, f->clock_epoch, f->dimensions);
  for (uint32_t d = 0; d < f->dimensions; d++) printf("%s%u", d ? ", " : "[", f->shape[d]);
  printf(f->dimensions ? "], " : "null, ");
  print_time("deviceTime", f->device_time);
  print_time("captureTimeNs", f->capture_time_ns);
  print_time("timeErrorNs", f->time_error_ns);
  print_time("publishTimeNs", f->publish_time_ns);
  print_time("publishUtcNs", f->publish_utc_ns);
  print_hex("fields", f->fields, f->fields_bytes, ", ");
  print_hex("payload", f->data, f->payload_bytes, "}, ");
}

int main(int count, char **paths) {
  for (int i = 1; i < count; i++) {
    streamem_reader *reader;
    streamem_error error = {0, ""};
    streamem_frame frame, frames[3];
    const char *json, *slash = strrchr(paths[i], '/');
    printf("{\"file\": \"%s\", ", slash ? slash + 1 : paths[i]);
    if (streamem_open(&reader, NULL, paths[i], 0, &error) < 0) {
      print_text("error", error.text, strlen(error.text), ", \"open\": \"error\"}\n");
      continue;
    }
    size_t bytes = streamem_descriptor(reader, &json);
    print_text("descriptor", json, bytes, ", \"open\": \"ok\", ");
    print_hex("generation", reader->ring->generation, 16, ", ");
    printf("\"retired\": %s, ", streamem_state(reader) == STREAMEM_RETIRED ? "true" : "false");
    if (streamem_latest(reader, &frame) == STREAMEM_FRAME) print_frame(&frame);
    else printf("\"latest\": null, ");
    for (int n = 1; n <= 3; n++) {
      printf(n == 1 ? "\"last\": {\"1\": [" : ", \"%d\": [", n);
      for (int k = 0, got = streamem_last(reader, frames, (uint32_t)n); k < got; k++)
        printf("%s\"%llu\"", k ? ", " : "", (unsigned long long)frames[k].sequence);
      printf(n < 3 ? "]" : "]}}\n");
    }
    streamem_reader_close(reader);
  }
}
