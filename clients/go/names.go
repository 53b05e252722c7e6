package streamem

import (
	"os"
	"regexp"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

const shmFolder = "/dev/shm"

var (
	prefixRule    = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	nameRule      = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)
	temporaryRule = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// checkedPrefix is prefix, else $STREAMEM_PREFIX, else "streamem".
func checkedPrefix(prefix string) (string, error) {
	if prefix == "" {
		prefix = os.Getenv("STREAMEM_PREFIX")
	}
	if prefix == "" {
		prefix = "streamem"
	}
	if !prefixRule.MatchString(prefix) {
		return "", fail(ErrArgument, "prefix %q: allowed are 1 to 32 of a-z 0-9 _ -", prefix)
	}
	return prefix, nil
}

func checkName(name string) error {
	if !nameRule.MatchString(name) {
		return fail(ErrArgument, "stream name %q: allowed are 1 to 63 of a-z 0-9 . _ -, a letter or digit first and last", name)
	}
	return nil
}

func ringPath(prefix, name string) string { return shmFolder + "/" + prefix + "." + name }

func lockPath(prefix, name string) string { return shmFolder + "/." + prefix + "." + name + ".lock" }

// Streams are the names of the streams in /dev/shm, sorted; no hub is needed for that. An empty prefix is $STREAMEM_PREFIX,
// else "streamem".
func Streams(prefix string) ([]string, error) {
	prefix, err := checkedPrefix(prefix)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(shmFolder)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, entry := range entries {
		name := strings.TrimPrefix(entry.Name(), prefix+".")
		if name != entry.Name() && nameRule.MatchString(name) && beginsAsRing(ringPath(prefix, name)) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

func beginsAsRing(path string) bool {
	fd, err := openAt(path, unix.O_RDONLY)
	if err != nil {
		return false // gone again, or not ours to read
	}
	defer unix.Close(fd)
	start := make([]byte, len(magic))
	return readAt(fd, start, 0) == nil && string(start) == magic
}

// openAt opens without following a link at the end of the path, and without waiting for the other end of a pipe.
func openAt(path string, flags int) (int, error) {
	return unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// readAt fills bytes from the file; a file that ends before is ErrTruncated.
func readAt(fd int, bytes []byte, offset int64) error {
	for len(bytes) > 0 {
		n, err := unix.Pread(fd, bytes, offset)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrTruncated
		}
		bytes, offset = bytes[n:], offset+int64(n)
	}
	return nil
}
