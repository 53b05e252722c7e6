/* The doorbell: a socket that hands each reader something its event loop can wait on, and the ring's descriptor.
 *
 * Two threads a ring, none of them on the capture path. The keeper accepts, hears hang-ups and looks once a
 * second whether the ring's name and the socket's are still there. The notifier sits in the futex while, and
 * only while, somebody is connected: a thread parked there for nothing makes every FUTEX_WAKE dearer. */

#define STREAMEM_BELL_PEERS_MAX 256
#define STREAMEM_BELL_STRANGERS_MAX 64 /* of one other uid, so that it cannot take all places */

typedef struct streamem_bell_peer {
  int32_t socket;
  int32_t ring_it; /* what we write to */
  int32_t stranger;
  uint32_t uid;
} streamem_bell_peer;

typedef struct streamem_bell {
  streamem_writer *writer;
  const streamem_segment_header *header; /* a page of our own: it outlives the writer's mapping */
  int32_t ring_fd, listener, control[2];
  uint32_t group, count;
  uint32_t seen; /* the wake word of before anybody could connect; the notifier may come to run long after that */
  int32_t stop;
  pthread_t keeper, notifier;
  pthread_mutex_t mutex; /* peers, count, stop */
  pthread_cond_t changed;
  uint8_t generation[16];
  char path[108];
  streamem_bell_peer peers[STREAMEM_BELL_PEERS_MAX];
} streamem_bell;

static void streamem__bell_drop(streamem_bell *bell, uint32_t i) {
  close(bell->peers[i].socket);
  close(bell->peers[i].ring_it);
  bell->peers[i] = bell->peers[--bell->count];
}

/* 8 bytes either way; full means that it is readable already. -1 when nobody can hear it any more. */
static int streamem__bell_ring(const streamem_bell_peer *peer) {
  uint64_t one = 1;
  ssize_t done = peer->stranger ? send(peer->ring_it, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL) : write(peer->ring_it, &one, sizeof one);
  return done < 0 && errno == EPIPE ? -1 : 0;
}

static void *streamem__bell_notify(void *argument) {
  streamem_bell *bell = (streamem_bell *)argument;
  uint32_t seen = bell->seen;
  pthread_mutex_lock(&bell->mutex);
  while (!bell->stop) {
    if (bell->count == 0) {
      pthread_cond_wait(&bell->changed, &bell->mutex); /* what came meanwhile is rung once more, for nothing */
      continue;
    }
    pthread_mutex_unlock(&bell->mutex);
    streamem__futex_wait(&bell->header->wake, seen, STREAMEM_WAIT_SLICE_NS);
    uint32_t now = STREAMEM_LOAD_ACQUIRE(&bell->header->wake);
    pthread_mutex_lock(&bell->mutex);
    if (now == seen) continue;
    seen = now;
    for (uint32_t i = 0; i < bell->count; i++)
      if (streamem__bell_ring(&bell->peers[i]) < 0) shutdown(bell->peers[i].socket, SHUT_RDWR);
  }
  pthread_mutex_unlock(&bell->mutex);
  return NULL;
}

/* A stranger gets one end of a socket pair: an eventfd's flags are shared by both sides, so it could clear O_NONBLOCK,
 * fill the counter and hold our write. Nor a pipe: whoever reads one holds its mutex while the kernel copies, and with
 * a target page that never comes (a FUSE file's) our write waits for ever, O_NONBLOCK or not. Returns what we write to. */
static int streamem__bell_make(int stranger, int *give) {
  int ends[2];
  if (!stranger) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *give = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd;
  }
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return -1;
  shutdown(ends[1], SHUT_RD); /* what it says goes nowhere */
  *give = ends[0];
  return ends[1];
}

static int streamem__bell_send(streamem_bell *bell, int socket_fd, int give) {
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", bell->ring_fd);
  int ring = open(path, O_RDONLY | O_CLOEXEC); /* an open file description of its own: no lock of ours goes with it */
  if (ring < 0) return -errno;
  streamem__bell_message message;
  memcpy(message.magic, STREAMEM_BELL_MAGIC, 8);
  memcpy(message.generation, bell->generation, 16);
  union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr align; } control;
  int fds[2] = {give, ring};
  struct iovec part = {&message, sizeof message};
  struct msghdr header;
  memset(&header, 0, sizeof header);
  memset(&control, 0, sizeof control);
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  struct cmsghdr *c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof fds);
  memcpy(CMSG_DATA(c), fds, sizeof fds);
  int result = sendmsg(socket_fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof message ? 0 : -errno;
  close(ring);
  return result;
}

static void streamem__bell_accept(streamem_bell *bell) {
  struct ucred who;
  socklen_t who_bytes = sizeof who;
  uint32_t same = 0;
  int fd = accept4(bell->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (errno != EAGAIN) streamem__sleep_ns(10000000); /* no descriptor is free: who waits at the door would wake us for ever */
    return;
  }
  int known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &who_bytes) == 0;
  int stranger = !known || who.uid != geteuid();
  for (uint32_t i = 0; i < bell->count; i++) same += known && bell->peers[i].uid == who.uid;
  int give = -1, ring_it = -1;
  if (bell->count < STREAMEM_BELL_PEERS_MAX && !(stranger && same >= STREAMEM_BELL_STRANGERS_MAX)) ring_it = streamem__bell_make(stranger, &give);
  if (ring_it >= 0 && give >= 0 && streamem__bell_send(bell, fd, give) == 0) {
    pthread_mutex_lock(&bell->mutex);
    bell->peers[bell->count].socket = fd;
    bell->peers[bell->count].ring_it = ring_it;
    bell->peers[bell->count].stranger = stranger;
    bell->peers[bell->count].uid = known ? who.uid : (uint32_t)-1;
    if (bell->count++ == 0) pthread_cond_signal(&bell->changed);
    /* A frame may have come after the reader got its answer and before it stood in the list. */
    if (streamem__bell_ring(&bell->peers[bell->count - 1]) < 0) shutdown(fd, SHUT_RDWR); /* it has closed its end already */
    pthread_mutex_unlock(&bell->mutex);
    fd = ring_it = -1;
  }
  if (fd >= 0) close(fd); /* full: the reader hears it as a refusal and waits on the futex instead */
  if (ring_it >= 0) close(ring_it);
  if (give >= 0) close(give);
}

/* Bound under another name and renamed, so that a successor's socket replaces a dead one without a gap. */
static int streamem__bell_listen(streamem_bell *bell) {
  struct sockaddr_un address;
  char temporary[108]; /* as long as the socket's own name, so it fits; only the holder of the stream's lock makes it */
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strcpy(temporary, bell->path);
  temporary[strlen(temporary) - 1] = '~';
  strcpy(address.sun_path, temporary);
  unlink(temporary); /* of a writer that was killed right here */
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int grouped = bell->group != (uint32_t)-1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || chmod(temporary, 0600) != 0 || listen(fd, 64) != 0 ||
      (grouped && (chown(temporary, (uid_t)-1, bell->group) != 0 || chmod(temporary, 0660) != 0)) || rename(temporary, bell->path) != 0) {
    int failed = errno;
    unlink(temporary);
    close(fd);
    return -failed;
  }
  return fd;
}

static void streamem__bell_look(streamem_bell *bell, uint64_t *socket_inode) {
  char path[160];
  struct stat status;
  streamem__ring_path(path, sizeof path, bell->writer->prefix, bell->writer->name);
  if (!streamem__same_file(bell->ring_fd, path)) STREAMEM_STORE_RELAXED(&bell->writer->name_gone, 1);
  if (lstat(bell->path, &status) == 0 && (*socket_inode == 0 || *socket_inode == (uint64_t)status.st_ino)) {
    *socket_inode = (uint64_t)status.st_ino;
    return;
  }
  if (lstat(bell->path, &status) == 0) return; /* another writer's: name_gone says the rest */
  int listener = streamem__bell_listen(bell);
  if (listener < 0) return;
  close(bell->listener);
  bell->listener = listener;
  *socket_inode = lstat(bell->path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static void *streamem__bell_keep(void *argument) {
  streamem_bell *bell = (streamem_bell *)argument;
  struct pollfd *polled = (struct pollfd *)malloc((2 + STREAMEM_BELL_PEERS_MAX) * sizeof *polled);
  uint64_t socket_inode = 0, looked_ns = 0;
  while (polled) {
    uint32_t count = bell->count; /* only this thread changes it */
    polled[0].fd = bell->control[0];
    polled[1].fd = bell->listener;
    for (uint32_t i = 0; i < count; i++) polled[2 + i].fd = bell->peers[i].socket;
    for (uint32_t i = 0; i < 2 + count; i++) polled[i].events = POLLIN;
    int ready = poll(polled, 2 + count, 1000);
    if (ready > 0 && polled[0].revents) break;
    if (ready > 0) { /* a reader has nothing to say: a byte from it, or its end, and it goes */
      pthread_mutex_lock(&bell->mutex);
      for (uint32_t i = count; i-- > 0;)
        if (polled[2 + i].revents) streamem__bell_drop(bell, i);
      pthread_mutex_unlock(&bell->mutex);
      if (polled[1].revents) streamem__bell_accept(bell);
    }
    if (streamem_now_ns() - looked_ns > 1000000000ull) {
      streamem__bell_look(bell, &socket_inode);
      looked_ns = streamem_now_ns();
    }
  }
  free(polled);
  return NULL;
}

/** Opens the doorbell of the writer's present generation at `path`. One a generation: stop it before streamem_renew
 *  and streamem_writer_close. group: gid that may connect, (uint32_t)-1 for none. */
STREAMEM_API int streamem_bell_start(streamem_bell **out, streamem_writer *writer, const char *path, uint32_t group, streamem_error *error) {
  char ring_path[40];
  *out = NULL;
  streamem_bell *bell = (streamem_bell *)calloc(1, sizeof *bell);
  if (!bell) return STREAMEM__FAIL(error, ENOMEM, "no memory for a doorbell");
  bell->writer = writer;
  bell->group = group;
  bell->ring_fd = bell->listener = bell->control[0] = bell->control[1] = -1;
  memcpy(bell->generation, writer->generation, 16);
  int result = strchr(path, '/') && snprintf(bell->path, sizeof bell->path, "%s", path) < (int)sizeof bell->path
                   ? 0 : STREAMEM__FAIL(error, ENAMETOOLONG, "%s: a socket's path has at most 107 bytes; set STREAMEM_DIR to a shorter folder", path);
  snprintf(ring_path, sizeof ring_path, "/proc/self/fd/%d", writer->ring_fd);
  void *page = MAP_FAILED;
  if (result == 0 && (bell->ring_fd = open(ring_path, O_RDONLY | O_CLOEXEC)) >= 0) page = mmap(NULL, STREAMEM_PAGE_BYTES, PROT_READ, MAP_SHARED, bell->ring_fd, 0);
  if (result == 0 && (page == MAP_FAILED || pipe2(bell->control, O_CLOEXEC) != 0)) result = STREAMEM__FAIL(error, errno, "%s: no doorbell: %s", path, strerror(errno));
  bell->header = page == MAP_FAILED ? NULL : (const streamem_segment_header *)page;
  if (page != MAP_FAILED) bell->seen = STREAMEM_LOAD_ACQUIRE(&((const streamem_segment_header *)page)->wake);
  if (result == 0 && (bell->listener = streamem__bell_listen(bell)) < 0) result = STREAMEM__FAIL(error, -bell->listener, "%s: no doorbell: %s", path, strerror(-bell->listener));
  if (result == 0) {
    sigset_t all, before; /* the host program's signals are not for our threads, and SIGPIPE is for nobody */
    sigfillset(&all);
    pthread_mutex_init(&bell->mutex, NULL);
    pthread_cond_init(&bell->changed, NULL);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&bell->keeper, NULL, streamem__bell_keep, bell);
    if (!failed && (failed = pthread_create(&bell->notifier, NULL, streamem__bell_notify, bell)) != 0) {
      close(bell->control[1]);
      bell->control[1] = -1;
      pthread_join(bell->keeper, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) {
      *out = bell;
      return 0;
    }
    unlink(bell->path);
    result = STREAMEM__FAIL(error, failed, "%s: no thread for the doorbell: %s", path, strerror(failed));
  }
  if (bell->header) munmap((void *)bell->header, STREAMEM_PAGE_BYTES);
  if (bell->listener >= 0) close(bell->listener);
  if (bell->ring_fd >= 0) close(bell->ring_fd);
  for (int i = 0; i < 2; i++)
    if (bell->control[i] >= 0) close(bell->control[i]);
  free(bell);
  return result;
}

/** Closes every connection, which tells the readers to look for the next generation. unlink_path 0 leaves the
 *  socket's name for that one to replace. */
STREAMEM_API void streamem_bell_stop(streamem_bell *bell, int unlink_path) {
  if (!bell) return;
  if (write(bell->control[1], "", 1) < 0) shutdown(bell->listener, SHUT_RDWR);
  pthread_mutex_lock(&bell->mutex);
  bell->stop = 1;
  pthread_cond_signal(&bell->changed);
  pthread_mutex_unlock(&bell->mutex);
  streamem__futex_wake(&bell->header->wake);
  pthread_join(bell->keeper, NULL);
  pthread_join(bell->notifier, NULL);
  if (unlink_path) unlink(bell->path);
  for (; bell->count; streamem__bell_drop(bell, bell->count - 1)) { /* the hang-up first: whoever the bell wakes must find it */
    shutdown(bell->peers[bell->count - 1].socket, SHUT_RDWR);
    streamem__bell_ring(&bell->peers[bell->count - 1]);
  }
  munmap((void *)bell->header, STREAMEM_PAGE_BYTES);
  close(bell->listener);
  close(bell->ring_fd);
  close(bell->control[0]);
  close(bell->control[1]);
  pthread_mutex_destroy(&bell->mutex);
  pthread_cond_destroy(&bell->changed);
  free(bell);
}

/** How many readers are connected. */
STREAMEM_API uint32_t streamem_bell_readers(streamem_bell *bell) {
  pthread_mutex_lock(&bell->mutex);
  uint32_t count = bell->count;
  pthread_mutex_unlock(&bell->mutex);
  return count;
}
