/* Removes what a writer killed without a clean end has left of one stream. */

/** Retires and unlinks the ring, the temporaries and the lock of a stream whose writer is dead, all under its lock.
 *  1 if something was removed, 0 if a writer lives or nothing is there, -EPERM if it is another user's. */
STREAMEM_API int streamem_sweep(const char *prefix, const char *name) {
  char lock_path[160], path[160];
  struct stat status;
  int result = streamem__check_names(prefix, name, NULL);
  if (result < 0) return result;
  streamem__lock_path(lock_path, sizeof lock_path, prefix, name);
  streamem__ring_path(path, sizeof path, prefix, name);
  int had_lock = lstat(lock_path, &status) == 0, had_ring = lstat(path, &status) == 0;
  if (!had_lock && !had_ring) return 0;
  if (had_ring && status.st_uid != geteuid()) return -EPERM;
  int lock = open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) return -errno;
  short type = F_WRLCK;
  result = streamem__ofd_lock(lock, F_OFD_SETLK, &type) == 0 && streamem__same_file(lock, lock_path);
  int ring = result ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) : -1;
  if (ring >= 0) {
    if (streamem_lock_held(ring)) result = 0; /* its lock file was removed, its writer was not */
    close(ring);
  }
  if (result) {
    streamem__sweep_temporaries(prefix, name);
    if (streamem__retire_old(path, NULL) == 0) unlink(path);
    unlink(lock_path);
  }
  close(lock);
  return result;
}
