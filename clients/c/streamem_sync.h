/* streamem_sync.h - frames of several streams that belong together. Beside streamem.h; C11, C++17.
 *
 * One set for each frame of the driving stream. Mode reproducible answers once the answer can no longer change, so that a replay
 * gives the same sets; mode available answers at once with what is there. No frame is in two sets. */
#ifndef STREAMEM_SYNC_H
#define STREAMEM_SYNC_H

#include "streamem.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STREAMEM_SYNC_REPRODUCIBLE 0
#define STREAMEM_SYNC_AVAILABLE 1

/* Why a stream has no frame in a set. */
#define STREAMEM_SYNC_TOO_EARLY 1   /* nothing as late as the instant yet; in mode available alone */
#define STREAMEM_SYNC_TOO_LATE 2    /* its first frame that can be had is after the instant */
#define STREAMEM_SYNC_GAP 3         /* frames before and after, none near enough, or the near one was given already */
#define STREAMEM_SYNC_STREAM_DOWN 4 /* its writer is gone, or there is no such stream */

#define STREAMEM__SYNC_LOOK_NS 100000000ull /* how often to look for a stream that is not there */
#define STREAMEM__SYNC_DOWN_NS 250000000ull /* a writer that restarts is no hole: a successor comes sooner */

typedef struct streamem_sync_spec {
  const char *prefix;       /* NULL: $STREAMEM_PREFIX, else "streamem" */
  const char *const *names; /* two or more */
  uint32_t count;
  int32_t mode;
  const char *driver;    /* one of them; NULL: the slowest by its descriptor's rate at the start */
  uint64_t tolerance_ns; /* how far a frame may be from the driver's */
} streamem_sync_spec;

/** One stream in a set. */
typedef struct streamem_sync_member {
  const char *name;
  streamem_frame frame; /* where missing is 0 */
  int32_t missing;      /* STREAMEM_SYNC_* */
  int32_t reserved;
} streamem_sync_member;

/** Frames that belong together, whole when they are handed out. Valid until the next call. */
typedef struct streamem_set {
  uint64_t time_ns; /* of the driver's frame: its capture, or its publication where that is unknown */
  const char *driver;
  const streamem_sync_member *members; /* in the order of the spec */
  uint32_t count;
} streamem_set;

/* A frame that is kept holds its ring, which its reader may let go of. ring NULL: none. */
typedef streamem_frame streamem__kept;

static inline void streamem__drop(streamem__kept *kept) {
  if (kept->ring) streamem_ring_release(kept->ring);
  kept->ring = NULL;
}

static inline void streamem__keep(streamem__kept *kept, const streamem_frame *frame) {
  if (frame->ring) streamem_ring_hold(frame->ring);
  streamem__drop(kept);
  *kept = *frame;
}

typedef struct streamem__sync_stream {
  char name[64];
  streamem_reader *reader;
  uint64_t looked_ns, down_since_ns;
  streamem__kept before; /* the last frame passed and not yet given */
  streamem__kept after;  /* the next one, not consumed */
  int32_t passed;
  uint64_t overwritten; /* while they waited here */
  uint64_t *given;      /* those given in mode available: the sequence of each slot */
  uint32_t given_slots;
  uint8_t given_generation[16];
} streamem__sync_stream;

typedef struct streamem_sync {
  char prefix[36];
  uint32_t count, driver;
  int32_t mode;
  uint64_t tolerance_ns;
  streamem__kept pending; /* the driver's frame whose set is not decided yet */
  streamem__sync_stream *streams;
  streamem_sync_member *members;
} streamem_sync;

/** When a frame was: its capture, unless that is unknown or a broken clock put it after its publication. */
static inline uint64_t streamem_sync_time(const streamem_frame *frame) {
  return frame->capture_time_ns <= frame->publish_time_ns ? frame->capture_time_ns : frame->publish_time_ns;
}

static inline uint64_t streamem__away(const streamem_frame *frame, uint64_t time_ns) {
  uint64_t own = streamem_sync_time(frame);
  return own > time_ns ? own - time_ns : time_ns - own;
}

/* 1 the stream has a reader, 0 there is no such stream now. */
static inline int streamem__sync_reader(streamem_sync *sync, streamem__sync_stream *stream, streamem_error *error) {
  uint64_t now = streamem_now_ns();
  if (stream->reader) return 1;
  if (stream->looked_ns && now - stream->looked_ns < STREAMEM__SYNC_LOOK_NS) return 0;
  stream->looked_ns = now;
  int result = streamem_open(&stream->reader, sync->prefix, stream->name, 0, error);
  return result == 0 ? 1 : result == -ENOENT ? 0 : result;
}

/* The stream's frame after the last one. */
static inline int streamem__sync_take(streamem_sync *sync, streamem__sync_stream *stream, streamem_frame *frame, uint64_t wait_ns) {
  int result = streamem__sync_reader(sync, stream, NULL);
  if (result <= 0) {
    if (result == 0) streamem__sleep_ns(wait_ns < STREAMEM__SYNC_LOOK_NS ? wait_ns : STREAMEM__SYNC_LOOK_NS);
    return result;
  }
  result = streamem_next(stream->reader, frame, (int64_t)(wait_ns / 1000000));
  return result == STREAMEM_LAPPED ? STREAMEM_NONE : result;
}

/* Whether it has been dead, or retired without a successor, for so long, or is not there at all. */
static inline int streamem__sync_down(streamem__sync_stream *stream, uint64_t least_ns) {
  int state = stream->reader ? streamem_state(stream->reader) : STREAMEM_DEAD;
  uint64_t now = streamem_now_ns();
  if (state != STREAMEM_DEAD && state != STREAMEM_RETIRED) {
    stream->down_since_ns = 0;
    return 0;
  }
  if (!stream->down_since_ns) stream->down_since_ns = now;
  return !stream->reader || now - stream->down_since_ns >= least_ns;
}

/* Passes all frames before the instant. 1 one at or after it is known, 0 none is. */
static inline int streamem__sync_reach(streamem_sync *sync, streamem__sync_stream *stream, uint64_t time_ns, uint64_t wait_ns) {
  for (;;) {
    if (!stream->after.ring) {
      streamem_frame frame;
      int result = streamem__sync_take(sync, stream, &frame, wait_ns);
      if (result != STREAMEM_FRAME) return result;
      streamem__keep(&stream->after, &frame);
    }
    if (streamem_sync_time(&stream->after) >= time_ns) return 1;
    streamem__drop(&stream->before);
    stream->before = stream->after;
    stream->after.ring = NULL;
    stream->passed = 1;
  }
}

/* One that was overwritten while it waited counts as never come. */
static inline int streamem__sync_drop_overwritten(streamem__sync_stream *stream) {
  int dropped = 0;
  streamem__kept *waiting[2];
  waiting[0] = &stream->before;
  waiting[1] = &stream->after;
  for (int i = 0; i < 2; i++) {
    if (!waiting[i]->ring || streamem_valid(waiting[i])) continue;
    streamem__drop(waiting[i]);
    dropped++;
  }
  stream->overwritten += (uint64_t)dropped;
  return dropped;
}

/* Of the two frames around the instant the nearer, of two as near the earlier; else why there is none. */
static inline void streamem__sync_nearer(const streamem_sync *sync, const streamem__sync_stream *stream, uint64_t time_ns, streamem_sync_member *member) {
  const streamem__kept *before = &stream->before, *after = &stream->after, *nearest = NULL;
  if (after->ring && streamem__away(after, time_ns) <= sync->tolerance_ns) nearest = after;
  if (before->ring && streamem__away(before, time_ns) <= sync->tolerance_ns && (!nearest || streamem__away(before, time_ns) <= streamem__away(after, time_ns))) nearest = before;
  member->missing = nearest ? 0 : !after->ring ? STREAMEM_SYNC_STREAM_DOWN : stream->passed ? STREAMEM_SYNC_GAP : STREAMEM_SYNC_TOO_LATE;
  if (nearest) streamem__keep(&member->frame, nearest);
}

/* Mode reproducible: 1 the answer that no later frame can change, 0 there is none within wait_ns. */
static inline int streamem__sync_decided(streamem_sync *sync, streamem__sync_stream *stream, uint64_t time_ns, uint64_t wait_ns, streamem_sync_member *member) {
  do {
    int reached = streamem__sync_reach(sync, stream, time_ns, 0);
    if (reached < 0) return reached;
    if (reached) continue;
    int down = streamem__sync_down(stream, STREAMEM__SYNC_DOWN_NS); /* before the last look: what was published until then comes first */
    reached = streamem__sync_reach(sync, stream, time_ns, down ? 0 : wait_ns);
    if (reached < 0 || (!reached && !down)) return reached;
  } while (streamem__sync_drop_overwritten(stream));
  streamem__sync_nearer(sync, stream, time_ns, member);
  return 1;
}

static inline int streamem__sync_was_given(const streamem__sync_stream *stream, const streamem_frame *frame) {
  return stream->given_slots && memcmp(stream->given_generation, frame->generation, 16) == 0 && stream->given[frame->sequence % stream->given_slots] == frame->sequence;
}

/* Mode available: by what is in the ring now, from the newest back to one before all that are near enough. */
static inline int streamem__sync_available(streamem_sync *sync, streamem__sync_stream *stream, uint64_t time_ns, streamem_sync_member *member) {
  int there = streamem__sync_reader(sync, stream, NULL), any = 0, found = 0;
  uint64_t newest_ns = 0, oldest_ns = 0;
  if (there < 0) return there;
  if (there) {
    streamem_frame frame, best;
    streamem__follow(stream->reader, STREAMEM__WHATEVER_IS_LEFT);
    streamem_ring *ring = stream->reader->ring;
    uint64_t newest = STREAMEM_LOAD_ACQUIRE(&streamem__header(ring)->latest);
    for (uint64_t k = 0; k < ring->slot_count - 1 && k < newest; k++) {
      if (!streamem__read(ring, newest - k, &frame)) continue;
      uint64_t away = streamem__away(&frame, time_ns);
      oldest_ns = streamem_sync_time(&frame);
      if (!any++) newest_ns = oldest_ns;
      int is_near = away <= sync->tolerance_ns && !streamem__sync_was_given(stream, &frame);
      if (is_near && (!found || away <= streamem__away(&best, time_ns))) { /* of two as near the earlier */
        best = frame;
        found = 1;
      }
      if (oldest_ns < time_ns && time_ns - oldest_ns > sync->tolerance_ns) break;
    }
    if (found) streamem__keep(&member->frame, &best);
  }
  if (found) member->missing = 0;
  else if (streamem__sync_down(stream, 0)) member->missing = STREAMEM_SYNC_STREAM_DOWN;
  else if (!any || (newest_ns < time_ns && time_ns - newest_ns > sync->tolerance_ns)) member->missing = STREAMEM_SYNC_TOO_EARLY;
  else member->missing = oldest_ns > time_ns && oldest_ns - time_ns > sync->tolerance_ns ? STREAMEM_SYNC_TOO_LATE : STREAMEM_SYNC_GAP;
  return 1;
}

/* The frame is given and belongs to no other set. */
static inline int streamem__sync_give(const streamem_sync *sync, streamem__sync_stream *stream, const streamem_frame *frame) {
  if (sync->mode == STREAMEM_SYNC_REPRODUCIBLE) {
    if (stream->after.ring && stream->after.slot == frame->slot && stream->after.sequence == frame->sequence) {
      streamem__drop(&stream->after);
      stream->passed = 1;
    }
    streamem__drop(&stream->before); /* itself, or one before it */
    return 0;
  }
  if (stream->given_slots != frame->ring->slot_count || memcmp(stream->given_generation, frame->generation, 16) != 0) {
    free(stream->given);
    stream->given_slots = 0;
    stream->given = (uint64_t *)calloc(frame->ring->slot_count, sizeof *stream->given);
    if (!stream->given) return -ENOMEM;
    stream->given_slots = frame->ring->slot_count;
    memcpy(stream->given_generation, frame->generation, 16);
  }
  stream->given[frame->sequence % stream->given_slots] = frame->sequence;
  return 0;
}

/* Lets go of what the last set handed out. */
static inline void streamem__sync_let_go(streamem_sync *sync) {
  for (uint32_t i = 0; i < sync->count; i++) streamem__drop(&sync->members[i].frame);
}

/* 1 a set, 0 not decided yet, or something of it was overwritten meanwhile. */
static inline int streamem__sync_set(streamem_sync *sync, uint64_t wait_ns) {
  uint64_t time_ns = streamem_sync_time(&sync->pending);
  for (uint32_t i = 0; i < sync->count; i++) {
    streamem_sync_member *member = &sync->members[i];
    int result = 1;
    streamem__drop(&member->frame);
    member->missing = 0;
    if (i == sync->driver) streamem__keep(&member->frame, &sync->pending);
    else if (sync->mode == STREAMEM_SYNC_AVAILABLE) result = streamem__sync_available(sync, &sync->streams[i], time_ns, member);
    else result = streamem__sync_decided(sync, &sync->streams[i], time_ns, wait_ns, member);
    if (result <= 0) return result;
  }
  if (!streamem_valid(&sync->pending)) { /* without its driver's frame there is no set */
    streamem__drop(&sync->pending);
    sync->streams[sync->driver].overwritten++;
    return 0;
  }
  for (uint32_t i = 0; i < sync->count; i++)
    if (!sync->members[i].missing && !streamem_valid(&sync->members[i].frame)) return 0;
  return 1;
}

/** The next set; waits for it up to timeout_ms, negative for ever. STREAMEM_FRAME, STREAMEM_NONE, or an error of streamem_open or
 *  -ENOMEM. A driver's frame that is overwritten before its set is decided is dropped and counted: raise the streams' slots. */
static inline int streamem_sync_next(streamem_sync *sync, streamem_set *set, int64_t timeout_ms) {
  uint64_t deadline = streamem__deadline(timeout_ms);
  streamem__sync_stream *driver = &sync->streams[sync->driver];
  streamem__sync_let_go(sync);
  memset(set, 0, sizeof *set);
  for (;;) {
    uint64_t now = streamem_now_ns(), left = now < deadline ? deadline - now : 0;
    uint64_t wait_ns = left < STREAMEM__SYNC_LOOK_NS ? left : STREAMEM__SYNC_LOOK_NS;
    int result = 1;
    if (!sync->pending.ring) {
      streamem_frame frame;
      if (sync->mode == STREAMEM_SYNC_AVAILABLE) result = streamem_newest(driver->reader, &frame, (int64_t)(wait_ns / 1000000));
      else result = streamem__sync_take(sync, driver, &frame, wait_ns);
      if (result == STREAMEM_FRAME) streamem__keep(&sync->pending, &frame);
    }
    if (result == STREAMEM_FRAME) result = streamem__sync_set(sync, wait_ns);
    if (result < 0) return result;
    if (result == 1) break;
    if (left == 0) return STREAMEM_NONE;
  }
  set->time_ns = streamem_sync_time(&sync->pending);
  set->driver = driver->name;
  set->members = sync->members;
  set->count = sync->count;
  streamem__drop(&sync->pending);
  for (uint32_t i = 0; i < sync->count; i++) {
    if (i == sync->driver || sync->members[i].missing) continue;
    int result = streamem__sync_give(sync, &sync->streams[i], &sync->members[i].frame);
    if (result < 0) return result;
  }
  return STREAMEM_FRAME;
}

/** Frames of one of the streams that came into no set because they were overwritten. */
static inline uint64_t streamem_sync_missed(const streamem_sync *sync, uint32_t stream) {
  const streamem__sync_stream *one = &sync->streams[stream];
  return one->overwritten + (one->reader ? one->reader->missed : 0);
}

/** The reader of one of the streams, NULL where there is none now. It belongs to the sync. */
static inline streamem_reader *streamem_sync_reader(streamem_sync *sync, uint32_t stream) {
  return streamem__sync_reader(sync, &sync->streams[stream], NULL) == 1 ? sync->streams[stream].reader : NULL;
}

static inline void streamem_sync_close(streamem_sync *sync) {
  if (!sync) return;
  if (sync->members) streamem__sync_let_go(sync);
  streamem__drop(&sync->pending);
  for (uint32_t i = 0; sync->streams && i < sync->count; i++) {
    streamem__drop(&sync->streams[i].before);
    streamem__drop(&sync->streams[i].after);
    streamem_reader_close(sync->streams[i].reader);
    free(sync->streams[i].given);
  }
  free(sync->streams);
  free(sync->members);
  free(sync);
}

static inline int streamem__sync_check(const streamem_sync_spec *spec, streamem_error *error) {
  const char *prefix = streamem__prefix(spec->prefix);
  int drives = !spec->driver;
  if (spec->count < 2) return STREAMEM__FAIL(error, EINVAL, "sync: at least two streams are lined up, not %u", spec->count);
  for (uint32_t i = 0; i < spec->count; i++) {
    int result = streamem__check_names(prefix, spec->names[i], error);
    if (result < 0) return result;
    if (spec->driver && strcmp(spec->driver, spec->names[i]) == 0) drives = 1;
    for (uint32_t k = 0; k < i; k++)
      if (strcmp(spec->names[i], spec->names[k]) == 0) return STREAMEM__FAIL(error, EINVAL, "sync: stream \"%s\" is named twice", spec->names[i]);
  }
  return drives ? 0 : STREAMEM__FAIL(error, EINVAL, "sync: the driver \"%.64s\" is none of the streams", spec->driver);
}

/* Of the streams that are there the one with the least nominal rate; of equals, and where none says one, the first. */
static inline int streamem__sync_slowest(streamem_sync *sync, streamem_error *error) {
  double least = 0;
  for (uint32_t i = 0; i < sync->count; i++) {
    int result = streamem__sync_reader(sync, &sync->streams[i], error);
    if (result < 0) return result;
    double rate = result ? sync->streams[i].reader->ring->rate : 0;
    if (rate <= 0 || (least > 0 && rate >= least)) continue;
    least = rate;
    sync->driver = i;
  }
  return 0;
}

/** Lines streams up in time. Waits up to timeout_ms, negative for ever, for the driver only: a stream that is not there is down until
 *  it appears. -EINVAL wrong names, -ENOENT the driver did not appear, -ENOMEM, or an error of streamem_open. */
static inline int streamem_sync_open(streamem_sync **out, const streamem_sync_spec *spec, int64_t timeout_ms, streamem_error *error) {
  *out = NULL;
  int result = streamem__sync_check(spec, error);
  if (result < 0) return result;
  uint64_t deadline = streamem__deadline(timeout_ms);
  streamem_sync *sync = (streamem_sync *)calloc(1, sizeof *sync);
  if (!sync) return STREAMEM__FAIL(error, ENOMEM, "no memory for a sync");
  sync->streams = (streamem__sync_stream *)calloc(spec->count, sizeof *sync->streams);
  sync->members = (streamem_sync_member *)calloc(spec->count, sizeof *sync->members);
  if (!sync->streams || !sync->members) {
    streamem_sync_close(sync);
    return STREAMEM__FAIL(error, ENOMEM, "no memory for a sync of %u streams", spec->count);
  }
  strcpy(sync->prefix, streamem__prefix(spec->prefix));
  sync->count = spec->count;
  sync->mode = spec->mode;
  sync->tolerance_ns = spec->tolerance_ns;
  for (uint32_t i = 0; i < spec->count; i++) {
    strcpy(sync->streams[i].name, spec->names[i]);
    sync->members[i].name = sync->streams[i].name;
    if (spec->driver && strcmp(spec->driver, spec->names[i]) == 0) sync->driver = i;
  }
  result = spec->driver ? 0 : streamem__sync_slowest(sync, error);
  while (result == 0 && (result = streamem__sync_reader(sync, &sync->streams[sync->driver], error)) == 0) {
    if (streamem_now_ns() >= deadline) result = STREAMEM__FAIL(error, ENOENT, "sync: there is no stream \"%s\"", sync->streams[sync->driver].name);
    else streamem__sleep_ns(STREAMEM__SYNC_LOOK_NS);
  }
  if (result < 0) {
    streamem_sync_close(sync);
    return result;
  }
  *out = sync;
  return 0;
}

/** "too early", "too late", "gap", "stream down". */
static inline const char *streamem_sync_reason(int missing) {
  static const char *const reasons[] = {"", "too early", "too late", "gap", "stream down"};
  return reasons[missing];
}

#ifdef __cplusplus
}
#endif
#endif
