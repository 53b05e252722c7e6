/* Checks every word of every frame that it is given: matrix_reader PREFIX STREAM BYTES. Takes the newest frame, and of small ones
 * now and then the oldest that can be read, with a pause before it is copied: the writer comes for it meanwhile. Until the ring is
 * retired and gone. Prints "waiting" before it opens the stream, and at the end {"delivered", "rejected", "wrong", "missed"}. */
#include "streamem.h"

#define WORD 0x9e3779b97f4a7c15ull
#define SMALL_BYTES 4096u

static uint64_t delivered, rejected, wrong;

/* The differences are gathered without a branch, so that the loop is as fast as a real consumer's. */
static void look(const streamem_frame *frame, uint64_t *copy, uint64_t bytes) {
  if (streamem_copy(frame, copy, bytes) < 0) {
    rejected++;
    return;
  }
  uint64_t value = frame->sequence * WORD, differences = frame->payload_bytes ^ bytes;
  for (uint64_t i = 0; i < bytes / 8; i++, value += WORD) differences |= copy[i] ^ value;
  if (differences) wrong++;
  else delivered++;
}

/* The oldest frame that can be read; in the pause the writer comes for it. */
static void look_back(streamem_reader *reader, uint64_t *copy, uint64_t bytes) {
  streamem_frame frame;
  uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(reader->ring)->latest), window = reader->ring->slot_count - 1;
  if (newest <= window) return;
  if (!streamem__read(reader->ring, newest - window + 1, &frame)) {
    rejected++;
    return;
  }
  streamem__sleep_ns(50000);
  look(&frame, copy, bytes);
}

int main(int count, char **words) {
  streamem_reader *reader;
  streamem_error error;
  streamem_frame frame;
  char path[160];
  if (count != 4) return 2;
  uint64_t bytes = strtoull(words[3], NULL, 10), *copy = (uint64_t *)malloc(bytes);
  puts("waiting");
  fflush(stdout);
  if (!copy || streamem_open(&reader, words[1], words[2], 30000, &error) < 0) return fprintf(stderr, "%s\n", copy ? error.text : "no memory"), 1;
  snprintf(path, sizeof path, "/dev/shm/%s.%s", words[1], words[2]);
  for (uint64_t turn = 0; turn % 64 || streamem_state(reader) != STREAMEM_RETIRED || access(path, F_OK) == 0; turn++) {
    if (streamem_newest(reader, &frame, 20) == STREAMEM_FRAME) look(&frame, copy, bytes);
    if (bytes <= SMALL_BYTES && turn % 4 == 0) look_back(reader, copy, bytes);
  }
  printf("{\"delivered\": %llu, \"rejected\": %llu, \"wrong\": %llu, \"missed\": %llu}\n", (unsigned long long)delivered, (unsigned long long)rejected,
         (unsigned long long)wrong, (unsigned long long)reader->missed);
  streamem_reader_close(reader);
  free(copy);
  return 0;
}
