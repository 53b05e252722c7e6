package streamem

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// room is how many bytes a new ring may take now: what /dev/shm has free and what the cgroup still allows, whichever is less.
// It is asked before allocating: a cgroup answers an allocation beyond its limit with SIGKILL, not with an error.
func room() uint64 {
	least := uint64(math.MaxUint64)
	var fs unix.Statfs_t
	if unix.Statfs(shmFolder, &fs) == nil {
		least = fs.Bavail * uint64(fs.Bsize)
	}
	for _, free := range cgroupRooms("/proc/self/cgroup", "/sys/fs/cgroup") {
		reserve := 1<<20 + free/128 // it also pays for page tables and the kernel's index of the pages, 1/256 of the ring
		if free < reserve {
			return 0
		}
		if free-reserve < least {
			least = free - reserve
		}
	}
	return least
}

// cgroupRooms are what this process's memory cgroup and each above it still allow. In a container the path may not exist
// below the mount: then the mount's own files count.
func cgroupRooms(own, root string) []uint64 {
	var rooms []uint64
	for _, line := range strings.Split(textOf(own), "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) != 3 {
			continue
		}
		v2, folder := parts[1] == "", root
		if !v2 {
			if !contains(strings.Split(parts[1], ","), "memory") {
				continue
			}
			folder += "/memory"
		}
		folders := []string{folder}
		for _, name := range strings.Split(parts[2], "/") {
			if name != "" && name != ".." {
				folder += "/" + name
				folders = append(folders, folder)
			}
		}
		for _, folder := range folders {
			if free, limited := cgroupRoom(folder, v2); limited {
				rooms = append(rooms, free)
			}
		}
	}
	return rooms
}

var (
	inactiveV1 = regexp.MustCompile(`(?m)^total_inactive_file (\d+)$`)
	inactiveV2 = regexp.MustCompile(`(?m)^inactive_file (\d+)$`)
)

// cgroupRoom is limit - use + page cache of files; limited is false where there is no limit.
func cgroupRoom(folder string, v2 bool) (free uint64, limited bool) {
	limitFile, useFile, inactive := "/memory.limit_in_bytes", "/memory.usage_in_bytes", inactiveV1
	if v2 {
		limitFile, useFile, inactive = "/memory.max", "/memory.current", inactiveV2
	}
	limit, err := strconv.ParseUint(strings.TrimSpace(textOf(folder+limitFile)), 10, 64)
	if err != nil || limit >= 1<<60 { // "max", or v1's way of saying it
		return 0, false
	}
	used, err := strconv.ParseUint(strings.TrimSpace(textOf(folder+useFile)), 10, 64)
	if err != nil {
		return 0, false
	}
	if found := inactive.FindStringSubmatch(textOf(folder + "/memory.stat")); found != nil {
		cache, _ := strconv.ParseUint(found[1], 10, 63)
		limit += cache
	}
	if used > limit {
		return 0, true
	}
	return limit - used, true
}

func textOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

func contains(words []string, wanted string) bool {
	for _, word := range words {
		if word == wanted {
			return true
		}
	}
	return false
}
