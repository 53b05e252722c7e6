/* Lines two streams up in time and prints which frames belong together: sync NAME NAME [COUNT]. cc -I.. sync.c -o sync -pthread */
#include "streamem_sync.h"

int main(int count, char **words) {
  streamem_sync *sync;
  streamem_error error;
  streamem_sync_spec spec;
  streamem_set set;
  if (count < 3 || count > 4) return fprintf(stderr, "usage: sync NAME NAME [COUNT]\n"), 2;
  memset(&spec, 0, sizeof spec);
  spec.names = (const char *const *)&words[1];
  spec.count = 2;
  spec.mode = STREAMEM_SYNC_REPRODUCIBLE;
  spec.tolerance_ns = 20000000;
  if (streamem_sync_open(&sync, &spec, 5000, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (uint64_t left = count > 3 ? strtoull(words[3], NULL, 10) : ~0ull; left > 0; left--) {
    if (streamem_sync_next(sync, &set, -1) != STREAMEM_FRAME) return fprintf(stderr, "sync ended\n"), 1;
    printf("time_ns %llu", (unsigned long long)set.time_ns);
    for (uint32_t i = 0; i < set.count; i++) {
      const streamem_sync_member *member = &set.members[i];
      if (member->missing) printf(" %s %s", member->name, streamem_sync_reason(member->missing));
      else printf(" %s %llu", member->name, (unsigned long long)member->frame.sequence);
    }
    printf("\n");
  }
  streamem_sync_close(sync);
  return 0;
}
