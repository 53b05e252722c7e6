package streamem

import (
	"errors"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// errSame: the name still has the generation that the reader has.
var errSame = errors.New("the same generation")

// openRing opens what now stands under the name.
func (r *Reader) openRing() (*ring, error) {
	fd, err := openAt(r.path, unix.O_RDONLY)
	if err != nil && r.name != "" { // no shared /dev/shm: a container that sees only the doorbell's folder
		if offer := r.findDoorbell(); offer != nil {
			unix.Close(offer.socket)
			unix.Close(offer.event)
			fd, err = offer.ring, nil
		}
	}
	switch {
	case err == unix.ENOENT:
		return nil, fail(err, "%s: %v (is its writer running? ls /dev/shm shows what there is)", r.path, err)
	case err == unix.EACCES:
		return nil, fail(err, "%s: %v (the stream belongs to another user; the hub's setting group shares it)", r.path, err)
	case err == unix.ELOOP:
		return nil, fail(ErrNotRing, "%s is a link, not a ring", r.path)
	case err != nil:
		return nil, fail(err, "%s: %v", r.path, err)
	}
	next, err := openRing(fd, r.path)
	if err != nil {
		return nil, err
	}
	if r.ring != nil && r.ring.generation == next.generation {
		next.closeFile()
		return nil, errSame
	}
	return next, nil
}

// follow goes on to the successor if this generation is over and there is one. It looks at most every 500 ms, every 2 ms
// once the ring is retired. drained is the newest sequence that the caller has dealt with, nil for whatever is left: what was
// published between his look and the end comes first. True when there is something to look at.
func (r *Reader) follow(drained *uint64) bool {
	ring, now := r.ring, time.Now()
	retired := ring.retired()
	if now.Before(r.lookAt) && !(retired && r.lookAt.Sub(now) > pollInterval) {
		return false
	}
	r.lookAt = now.Add(waitSlice)
	if retired {
		r.lookAt = now.Add(pollInterval)
	}
	if !retired && !ring.unlinked() && lockHeld(ring.fd) {
		return false
	}
	if r.sameFile() {
		r.hurryBell(retired)
		return false
	}
	next, err := r.openRing()
	if err != nil {
		r.hurryBell(retired)
		return false
	}
	newest := ring.latest() // for good: its writer is gone
	if drained != nil && newest != *drained {
		next.closeFile()
		r.lookAt = now
		return true
	}
	if r.started && newest > r.given {
		r.carried += newest - r.given
	}
	r.ring, r.given = next, 0
	if r.history != nil {
		r.history.clear() // one stack never mixes two generations
	}
	ring.closeFile()
	r.attachBell()
	// The old mapping goes when nobody can reach it, and until then its memory is taken from /dev/shm. A quiet program may
	// not collect for minutes; the writer's next generation may need the room in two seconds.
	go runtime.GC()
	return true
}

// sameFile says whether the name is still that of the ring being read: a dead writer's ring is not mapped anew at each look.
func (r *Reader) sameFile() bool {
	var ours, there unix.Stat_t
	return unix.Fstat(r.ring.fd, &ours) == nil && unix.Lstat(r.path, &there) == nil && ours.Dev == there.Dev && ours.Ino == there.Ino
}
