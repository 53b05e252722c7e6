/* Prints the sets of a recorded trace (clients/vectors/sync/README.md): sync_sets PREFIX MODE TOLERANCE_NS DRIVER NAMES... */
#include "streamem_sync.h"

#define WORDS 16u

/* Whether every word is the sequence's, and was when the last one was read. */
static int is_whole(const streamem_frame *frame) {
  const uint32_t *words = (const uint32_t *)frame->data;
  uint32_t differences = frame->payload_bytes != WORDS * 4;
  for (uint32_t i = 0; !differences && i < WORDS; i++) differences |= words[i] ^ ((uint32_t)frame->sequence * WORDS + i);
  return !differences && streamem_valid(frame);
}

static int print_set(const streamem_set *set) {
  printf("{\"time_ns\":\"%llu\",\"driver\":\"%s\",\"members\":{", (unsigned long long)set->time_ns, set->driver);
  for (uint32_t i = 0; i < set->count; i++) {
    const streamem_sync_member *member = &set->members[i];
    printf("%s\"%s\":", i ? "," : "", member->name);
    if (member->missing) {
      printf("\"%s\"", streamem_sync_reason(member->missing));
      continue;
    }
    if (!is_whole(&member->frame)) return 0;
    printf("{\"generation\":\"");
    for (int b = 0; b < 16; b++) printf("%02x", member->frame.generation[b]);
    printf("\",\"sequence\":\"%llu\"}", (unsigned long long)member->frame.sequence);
  }
  printf("}}\n");
  return 1;
}

int main(int count, char **words) {
  streamem_sync *sync;
  streamem_error error = {0, ""};
  streamem_sync_spec spec;
  streamem_set set;
  if (count < 7) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  memset(&spec, 0, sizeof spec);
  spec.prefix = words[1];
  spec.mode = strcmp(words[2], "available") == 0 ? STREAMEM_SYNC_AVAILABLE : STREAMEM_SYNC_REPRODUCIBLE;
  spec.tolerance_ns = strtoull(words[3], NULL, 10);
  spec.driver = strcmp(words[4], "-") == 0 ? NULL : words[4];
  spec.names = (const char *const *)&words[5];
  spec.count = (uint32_t)count - 5;
  if (streamem_sync_open(&sync, &spec, 10000, &error) < 0) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  for (uint64_t last = streamem_now_ns(); streamem_now_ns() - last < 1000000000ull;) {
    int got = streamem_sync_next(sync, &set, 100), state = streamem_state(streamem_sync_reader(sync, sync->driver));
    if (got == STREAMEM_FRAME && !print_set(&set)) {
      fprintf(stderr, "\na frame is not whole\n");
      return 1;
    }
    if (got == STREAMEM_FRAME || (state != STREAMEM_DEAD && state != STREAMEM_RETIRED)) last = streamem_now_ns();
  }
  streamem_sync_close(sync);
  return 0;
}
