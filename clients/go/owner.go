package streamem

import (
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Owning a name. The lock file keeps other writers out; the lock on the ring's file tells readers that its writer lives.

// takeLock gives the descriptor of the stream's lock file, locked. It tries for a second: a dying writer may take that long.
func takeLock(prefix, name string) (int, error) {
	path := lockPath(prefix, name)
	for attempt := 0; attempt < 100; attempt++ {
		// 0600 whatever the ring's mode: who can open it can hold a lock on it, and so keep every successor out
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
		if err != nil {
			return -1, fail(err, "stream %s: its lock %s cannot be opened: %v", name, path, err)
		}
		if err := checkOwn(fd, path); err != nil {
			unix.Close(fd)
			return -1, err
		}
		// At the path: its last owner may have unlinked it. The ring too: the lock file may have been removed under it.
		if lockFile(fd) == nil && isAt(fd, path) && !ringHeld(ringPath(prefix, name)) {
			return fd, nil
		}
		unix.Close(fd)
		time.Sleep(10 * time.Millisecond)
	}
	return -1, fail(ErrBusy, "stream %s (prefix %s) has another writer already%s: end that one, or choose another name", name, prefix, writerWords(ringPath(prefix, name)))
}

// checkOwn refuses what is not a file of this user.
func checkOwn(fd int, path string) error {
	var status unix.Stat_t
	if err := unix.Fstat(fd, &status); err != nil {
		return fail(err, "%s: fstat failed: %v", path, err)
	}
	if status.Mode&unix.S_IFMT != unix.S_IFREG || int(status.Uid) != os.Geteuid() {
		return fail(unix.EPERM, "%s is in the way: it is not a file of this user; its owner must remove it", path)
	}
	return nil
}

// isAt says whether fd is the file that now stands at path.
func isAt(fd int, path string) bool {
	var ours, there unix.Stat_t
	return unix.Fstat(fd, &ours) == nil && unix.Lstat(path, &there) == nil && ours.Dev == there.Dev && ours.Ino == there.Ino
}

func ringHeld(path string) bool {
	fd, err := openAt(path, unix.O_RDONLY)
	if err != nil {
		return false // what is in the way is reported when the ring is to be put there
	}
	defer unix.Close(fd)
	return lockHeld(fd)
}

func writerWords(path string) string {
	fd, err := openAt(path, unix.O_RDONLY)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var h segmentHeader
	if readAt(fd, (*[unsafe.Sizeof(h)]byte)(unsafe.Pointer(&h))[:], 0) != nil {
		return ""
	}
	return " (process " + strconv.Itoa(int(h.writerPid)) + ")"
}

// sweep removes what writers killed between creating and renaming have left. Only under the lock: nobody else makes these.
func sweep(prefix, name string) {
	entries, err := os.ReadDir(shmFolder)
	if err != nil {
		return
	}
	start := "." + prefix + "." + name + "."
	for _, entry := range entries {
		if rest := strings.TrimPrefix(entry.Name(), start); rest != entry.Name() && temporaryRule.MatchString(rest) {
			_ = unix.Unlink(shmFolder + "/" + entry.Name())
		}
	}
}

// retireOld retires what stands under the name, so that its readers look for a successor. found is false where nothing does.
func retireOld(path string) (found bool, err error) {
	fd, err := openAt(path, unix.O_RDWR)
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, fail(err, "%s is in the way: %v", path, err)
	}
	defer unix.Close(fd)
	if err := checkOwn(fd, path); err != nil {
		return false, err
	}
	retireFile(fd)
	return true, nil
}

// retireFile sets the flag, adds 1 to wake and wakes the readers: by pwrite, since whoever owns the file may shrink it, and a
// mapping would end us. The page mapped for the wake is never touched. A file too short for a header has no readers.
func retireFile(fd int) {
	var h segmentHeader
	change := func(offset uintptr, next func(uint32) uint32) bool {
		var word uint32
		raw := (*[4]byte)(unsafe.Pointer(&word))[:]
		if readAt(fd, raw, int64(offset)) != nil {
			return false
		}
		word = next(word)
		n, err := unix.Pwrite(fd, raw, int64(offset))
		return err == nil && n == len(raw)
	}
	retired := change(unsafe.Offsetof(h.flags), func(flags uint32) uint32 { return flags | flagRetired })
	if !retired || !change(unsafe.Offsetof(h.wake), func(wake uint32) uint32 { return wake + 1 }) {
		return
	}
	page, err := unix.Mmap(fd, 0, pageBytes, unix.PROT_READ, unix.MAP_SHARED)
	if err == nil {
		futexWake(&(*segmentHeader)(unsafe.Pointer(&page[0])).wake)
		_ = unix.Munmap(page)
	}
}
