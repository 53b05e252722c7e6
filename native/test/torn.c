/* Torn frames: a writer at full rate on four slots, readers in processes of their own that are lapped all the time.
 *
 *   torn PREFIX plain|streaming DELIVERIES REJECTIONS READERS
 *
 * Each reader goes on until it was given DELIVERIES whole frames and had REJECTIONS frames turned down by the checks, or
 * until it finds a torn one; then it prints {"deliveries", "rejections", "torn"}. Exit status 0 whatever it found. */
#include "../../clients/c/streamem.h"
#include "pattern.h"

#include <sched.h>
#include <sys/wait.h>

typedef struct tally {
  uint64_t deliveries, rejections, torn;
} tally;

/* Spins until the writer is `frames` ahead of the frame, and a moment more: this is where it comes back to the slot. */
static void let_pass(const streamem_frame *frame, uint64_t frames, uint64_t moment) {
  const streamem_segment_header *header = streamem__header(frame->ring);
  for (uint64_t spins = 1; STREAMEM_LOAD_RELAXED(&header->latest) < frame->sequence + frames; spins++) {
    if (spins % 1024 == 0) sched_yield(); /* the writer may be waiting for this very core */
    if (streamem__retired(frame->ring)) return;
  }
  for (volatile uint64_t i = 0; i < moment; i++) continue;
}

/* Half of the view before the writer comes near the slot and half after, then the question whether it held. */
static int view(const streamem_frame *frame, uint64_t frames, uint64_t moment, int *whole) {
  const uint64_t *words = (const uint64_t *)frame->data;
  uint64_t half = frame->payload_bytes / 16, wrong = 0;
  for (uint64_t i = 0; i < half; i++) wrong |= words[i] ^ pattern_word(frame->sequence, i);
  let_pass(frame, frames, moment);
  for (uint64_t i = half; i < frame->payload_bytes / 8; i++) wrong |= words[i] ^ pattern_word(frame->sequence, i);
  *whole = wrong == 0 && pattern_fields_hold((const uint64_t *)frame->fields, frame->fields_bytes, frame->sequence);
  return streamem_valid(frame);
}

static int copy(const streamem_frame *frame, uint64_t frames, uint64_t moment, int *whole) {
  uint64_t words[PATTERN_BYTES_MAX / 8], fields[PATTERN_FIELDS];
  let_pass(frame, frames, moment);
  if (streamem_copy(frame, words, sizeof words) < 0 || streamem_copy_fields(frame, fields, sizeof fields) < 0) return 0;
  *whole = pattern_holds(words, frame->payload_bytes, frame->sequence) && pattern_fields_hold(fields, frame->fields_bytes, frame->sequence);
  return 1;
}

static void look(const streamem_frame *frame, uint64_t i, tally *t) {
  uint64_t frames = i / 2 % 4, moment = pattern_word(i, 7) >> 55; /* 0 to 511 */
  int whole = 0;
  if (!pattern_numbers_hold(frame)) t->torn++;
  else if (!(i & 1 ? copy(frame, frames, moment, &whole) : view(frame, frames, moment, &whole))) t->rejections++;
  else if (whole) t->deliveries++;
  else t->torn++;
}

static void by_verb(streamem_reader *reader, uint64_t i, tally *t) {
  streamem_frame frames[3];
  int got;
  switch (i % 5) {
    case 0: got = streamem_latest(reader, frames); break;
    case 1: got = streamem_next(reader, frames, 1000); break;
    case 2: got = streamem_newest(reader, frames, 1000); break;
    case 3: got = streamem_nearest(reader, (reader->given - 1) * 1000, frames); break;
    default: got = streamem_last(reader, frames, 3); break;
  }
  if (i % 5 == 4 && got >= 0) t->rejections += (uint64_t)(3 - got);
  else if (got == STREAMEM_LAPPED) t->rejections++;
  for (int k = 0; k < (i % 5 == 4 ? got : got == STREAMEM_FRAME); k++) look(&frames[k], i * 3 + (uint64_t)k, t);
}

/* Slots that no verb looks at: the one being written, by its old sequence (behind the window) and by its new one
 * (before latest names it). The checks of `begin` and `end` are all that stands in between. */
static void by_slot(streamem_reader *reader, uint64_t i, tally *t) {
  streamem_frame frame;
  uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(reader->ring)->latest);
  for (int k = 0; k < 8; k++)
    if (streamem__read(reader->ring, newest + 1, &frame)) look(&frame, i, t);
  if (newest < 4) return;
  if (streamem__read(reader->ring, newest - 3, &frame)) look(&frame, i * 8, t);
  else t->rejections++;
}

static int read_frames(const char *prefix, uint64_t deliveries, uint64_t rejections) {
  streamem_reader *reader;
  streamem_error error;
  tally t = {0, 0, 0};
  if (streamem_open(&reader, prefix, "torn", 5000, &error) < 0) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  for (uint64_t i = 0; !t.torn && (t.deliveries < deliveries || t.rejections < rejections); i++) {
    by_verb(reader, i, &t);
    by_slot(reader, i, &t);
  }
  printf("{\"deliveries\": %llu, \"rejections\": %llu, \"torn\": %llu}\n", (unsigned long long)t.deliveries,
         (unsigned long long)t.rejections, (unsigned long long)t.torn);
  streamem_reader_close(reader);
  return 0;
}

/* Straight into the slot, past the caches: such stores overtake later ordinary ones unless commit fences them. */
static int publish_streaming(streamem_writer *writer, uint64_t sequence) {
#ifdef __x86_64__
  uint64_t fields[PATTERN_FIELDS], bytes = pattern_bytes(sequence);
  streamem_meta meta;
  void *slot;
  pattern_meta(&meta, fields, sequence);
  int result = streamem_acquire(writer, &slot);
  if (result < 0) return result;
  for (uint64_t i = 0; i < bytes / 8; i++)
    __builtin_ia32_movnti64((long long *)slot + i, (long long)pattern_word(sequence, i));
  return streamem_commit(writer, bytes, &meta, fields);
#else
  return pattern_publish(writer, sequence);
#endif
}

int main(int count, char **arguments) {
  streamem_writer *writer;
  streamem_error error;
  streamem_spec spec;
  if (count == 5 && strcmp(arguments[1], "read") == 0)
    return read_frames(arguments[2], strtoull(arguments[3], NULL, 10), strtoull(arguments[4], NULL, 10));
  if (count != 6) return 2;
  int streaming = strcmp(arguments[2], "streaming") == 0, running = atoi(arguments[5]), failed = 0;
  pattern_spec(&spec, arguments[1], "torn", 4);
  if (streamem_create(&writer, &spec, &error) < 0) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  for (int i = 0; i < running; i++)
    if (fork() == 0) {
      execl("/proc/self/exe", "torn", "read", arguments[1], arguments[3], arguments[4], (char *)NULL);
      _exit(127);
    }
  for (uint64_t sequence = 1; running > 0; sequence++) {
    int status;
    if ((streaming ? publish_streaming(writer, sequence) : pattern_publish(writer, sequence)) < 0) return 1;
    if (sequence % 4096 == 0)
      while (running > 0 && waitpid(-1, &status, WNOHANG) > 0) {
        running--;
        failed |= status;
      }
  }
  fprintf(stderr, "%llu frames published\n", (unsigned long long)writer->sequence);
  streamem_writer_close(writer);
  return failed ? 1 : 0;
}
