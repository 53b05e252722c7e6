/* What src/ring/ffi.ts calls. The protocol's text is clients/c/streamem.h, compiled here once more as real symbols;
 * beside it only what a hub needs and a C program does not: the doorbell, test noise, ending with the parent. */
#define STREAMEM_API

#ifdef STREAMEM_NO_LIBC_HEADERS
#include "no_libc.h"
#else
#define _GNU_SOURCE 1
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#endif
#include "../clients/c/streamem.h"

#include "doorbell.c"
#include "noise.c"
#include "pixels.c"
#if defined(__SSE2__) && !defined(STREAMEM_NO_LIBC_HEADERS)
#include "rows-sse2.c"
#else
#include "rows-plain.c"
#endif
#include "shrink.c"
#include "bgr24.c"
#include "sweep.c"

/* ---- For JavaScript, which cannot reach into structs. ------------------------------------------------ */

/** Takes the fields of streamem_spec one by one: JavaScript must not keep pointers in memory of its own. */
int streamem_ffi_create(streamem_writer **out, streamem_writer *renewed, const char *prefix, const char *name, const char *descriptor,
                        const char *wake_path, uint64_t payload_capacity, uint32_t fields_capacity, uint32_t slot_count, uint32_t group,
                        streamem_error *error) {
  streamem_spec spec;
  memset(&spec, 0, sizeof spec);
  spec.prefix = prefix;
  spec.name = name;
  spec.descriptor = descriptor;
  spec.wake_path = wake_path && *wake_path ? wake_path : NULL;
  spec.payload_capacity = payload_capacity;
  spec.fields_capacity = fields_capacity;
  spec.slot_count = slot_count;
  spec.group = group;
  if (!renewed) return streamem_create(out, &spec, error);
  *out = renewed;
  return streamem_renew(renewed, &spec, error);
}

/** The address of the acquired slot's payload, or -errno as a small negative number. */
int64_t streamem_ffi_acquire(streamem_writer *writer) {
  void *payload;
  int result = streamem_acquire(writer, &payload);
  return result < 0 ? result : (int64_t)(intptr_t)payload;
}

uint64_t streamem_ffi_writer_sequence(const streamem_writer *writer) { return writer->sequence; }
void *streamem_ffi_writer_base(const streamem_writer *writer) { return writer->base; }
uint64_t streamem_ffi_writer_bytes(const streamem_writer *writer) { return writer->total_bytes; }
int streamem_ffi_writer_name_gone(const streamem_writer *writer) { return writer->name_gone; }
const char *streamem_ffi_writer_descriptor(const streamem_writer *writer) { return (const char *)writer->base + sizeof(streamem_segment_header); }
uint32_t streamem_ffi_writer_descriptor_bytes(const streamem_writer *writer) {
  return ((const streamem_segment_header *)(const void *)writer->base)->descriptor_bytes;
}

streamem_ring *streamem_ffi_ring(const streamem_reader *reader) { return reader->ring; }
const void *streamem_ffi_ring_base(const streamem_ring *ring) { return ring->base; }
uint64_t streamem_ffi_ring_bytes(const streamem_ring *ring) { return ring->mapped_bytes; }
uint64_t streamem_ffi_missed(const streamem_reader *reader) { return reader->missed; }
int streamem_ffi_retired(const streamem_reader *reader) { return streamem__retired(reader->ring); }

/** Attaches the reader's event descriptors and gives one that read() can wait on: the doorbell's, or the pipe of the
 *  futex thread; -1 where the writer wakes nobody. It changes with the generation. */
int streamem_ffi_event_fd(streamem_reader *reader) {
  int result = streamem_fd(reader);
  return result < 0 ? result : reader->event_fd;
}

/** Another number for each descriptor that the above gives. */
uint32_t streamem_ffi_event_serial(const streamem_reader *reader) { return reader->event_serial; }

/** A duplicate of it for an event loop that closes what it is given. */
int streamem_ffi_event_dup(streamem_reader *reader) {
  int fd = reader->event_fd < 0 ? -1 : fcntl(reader->event_fd, F_DUPFD_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

/* ---- A sensor process ends with its hub. ------------------------------------------------------------- */

static void *streamem__watch_parent(void *argument) {
  struct pollfd parent;
  parent.fd = (int)(intptr_t)argument;
  parent.events = POLLIN;
  while (poll(&parent, 1, -1) < 0 && errno == EINTR) continue;
  kill(getpid(), SIGTERM);         /* the orderly way: rings retired and unlinked */
  /* Counted in beats of its own: the event loop of a process that was stopped meanwhile does not hang. */
  for (int beat = 0; beat < 15; beat++) streamem__sleep_ns(100000000ull);
  _exit(1);                        /* the event loop hangs */
  return NULL;
}

/** Ends this process when process `parent` ends: SIGTERM, and 1.5 s later without asking. A signal on the parent's
 *  death (PR_SET_PDEATHSIG) would be tied to the thread that spawned us, and nothing would follow a hung loop. */
int streamem_end_with_parent(int parent) {
  pthread_t thread;
  int fd = (int)syscall(434 /* SYS_pidfd_open */, parent, 0);
  if (fd < 0) return -errno;
  if (getppid() != parent) kill(getpid(), SIGTERM); /* it was quicker */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread, NULL, streamem__watch_parent, (void *)(intptr_t)fd);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!failed) pthread_detach(thread);
  return -failed;
}

uint64_t streamem_ffi_clock_ns(int clock) { return streamem_clock_ns(clock); }

/* src/ring/frame.ts reads these two by offset. */
STREAMEM__ASSERT(frame_bytes, sizeof(streamem_frame) == 160);
STREAMEM__ASSERT(meta_bytes, sizeof(streamem_meta) == 72);
STREAMEM__ASSERT(error_bytes, sizeof(streamem_error) == 512);
