package streamem

import (
	"errors"
	"io/fs"
	"strings"
	"time"
)

// SyncMode says when a set is answered.
type SyncMode int

const (
	// Reproducible gives each frame of the driver, in order, once its answer can no longer change. How the streams interleave
	// does not matter: a replay gives the same sets.
	Reproducible SyncMode = iota
	// Available gives the driver's newest frame, at once, with what the other rings have by then.
	Available
)

// SyncOptions say which frames belong together.
type SyncOptions struct {
	Tolerance time.Duration // how far a frame may be from the driver's; exactly so far is near enough
	Mode      SyncMode
	Driver    string        // one of the streams; empty: the slowest by its descriptor's Rate at the start
	Timeout   time.Duration // for the driver to appear; 0: it has to be there; Forever
	Prefix    string
}

// Set is a frame of the driver and what belongs to it.
type Set struct {
	TimeNs  uint64 // of the driver's frame: its capture, or its publication where that is unknown
	Driver  string
	Frames  map[string]*Frame        // by stream, the driver's too; nil where there is none. No frame is in two sets
	Missing map[string]MissingReason // why there is none
}

// Sync lines streams up in time. It follows restarted writers by itself and belongs to one goroutine at a time.
//
// Its frames are views like any others, whole at the moment a set is handed out. One that is overwritten while it waits for
// the others is passed over and counted in Missed, a set whose driver frame is overwritten is dropped: raise the streams'
// slots.
type Sync struct {
	driver  string
	names   []string
	members map[string]*syncMember
	options SyncOptions
	pending *Frame // of the driver, whose set is not decided yet
	closed  bool
}

// syncSlice is how long it waits for one stream before it looks at the others.
const syncSlice = 100 * time.Millisecond

// OpenSync waits for the driver only; a stream that is not there is down until it appears.
//
// Errors: ErrArgument fewer than two streams, one named twice, a driver that is none of them, a negative tolerance;
// fs.ErrNotExist the driver did not appear in time; those of Open.
func OpenSync(names []string, options SyncOptions) (*Sync, error) {
	if err := checkSync(names, options); err != nil {
		return nil, err
	}
	s := &Sync{driver: options.Driver, names: names, members: map[string]*syncMember{}, options: options}
	for _, name := range names {
		s.members[name] = &syncMember{name: name, prefix: options.Prefix}
	}
	end := deadlineAfter(options.Timeout)
	for {
		driver, err := s.lookForDriver()
		if err == nil {
			s.driver = driver
			return s, nil
		}
		if left := end.left(syncSlice); !errors.Is(err, fs.ErrNotExist) || left <= 0 {
			s.Close()
			return nil, err
		}
		time.Sleep(end.left(syncSlice))
	}
}

func checkSync(names []string, options SyncOptions) error {
	listed := strings.Join(names, ", ")
	if len(names) < 2 {
		return fail(ErrArgument, "sync lines up at least two streams, not %q", listed)
	}
	known := map[string]bool{}
	for _, name := range names {
		if known[name] {
			return fail(ErrArgument, "sync: stream %s is named twice", name)
		}
		if err := checkName(name); err != nil {
			return err
		}
		known[name] = true
	}
	if options.Driver != "" && !known[options.Driver] {
		return fail(ErrArgument, "sync: the driver %s is not one of %s", options.Driver, listed)
	}
	if options.Tolerance < 0 {
		return fail(ErrArgument, "sync: the tolerance is %s; 0 is the least", options.Tolerance)
	}
	return nil
}

// lookForDriver gives the driver once it is there: the named one, else the slowest of those that are.
func (s *Sync) lookForDriver() (string, error) {
	if driver := s.options.Driver; driver != "" {
		_, err := s.members[driver].open()
		return driver, err
	}
	slowest, least, failed := "", 0.0, error(nil)
	for _, name := range s.names {
		reader, err := s.members[name].open()
		if reader == nil {
			if failed = err; errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return "", err
		}
		if rate := reader.Descriptor().Rate; slowest == "" || rate > 0 && (least == 0 || rate < least) {
			slowest, least = name, rate
		}
	}
	if slowest == "" {
		return "", failed
	}
	return slowest, nil
}

// Driver is the stream that drives.
func (s *Sync) Driver() string { return s.driver }

// Next is the next set, waited for up to timeout; nil without one. Errors are those of opening a stream that has appeared.
func (s *Sync) Next(timeout time.Duration) (*Set, error) {
	for end := deadlineAfter(timeout); ; {
		if s.closed {
			return nil, fail(ErrClosed, "this Sync is closed")
		}
		left := end.left(syncSlice)
		if left < 0 {
			left = 0
		}
		set, err := s.decide(left)
		if err != nil {
			return nil, err
		}
		if set != nil && s.isWhole(set) {
			s.give(set)
			return set, nil
		}
		if left == 0 {
			return nil, nil
		}
	}
}

// decide gives the set of the pending frame, or nil where it is not decided within wait.
func (s *Sync) decide(wait time.Duration) (*Set, error) {
	if s.pending == nil {
		if err := s.takeDriver(wait); err != nil || s.pending == nil {
			return nil, err
		}
	}
	timeNs := timeOf(s.pending)
	set := &Set{TimeNs: timeNs, Driver: s.driver, Frames: map[string]*Frame{s.driver: s.pending}, Missing: map[string]MissingReason{}}
	for _, name := range s.names {
		if name == s.driver {
			continue
		}
		frame, reason, err := s.match(s.members[name], timeNs, wait)
		if err != nil || frame == nil && reason == "" {
			return nil, err
		}
		set.Frames[name] = frame
		if frame == nil {
			set.Missing[name] = reason
		}
	}
	return set, nil
}

func (s *Sync) takeDriver(wait time.Duration) (err error) {
	driver := s.members[s.driver]
	if s.options.Mode == Reproducible {
		s.pending, err = driver.next(wait)
		return err
	}
	reader, err := driver.open()
	if reader != nil {
		s.pending = reader.Newest(wait)
	}
	return err
}

func (s *Sync) match(m *syncMember, timeNs uint64, wait time.Duration) (*Frame, MissingReason, error) {
	if s.options.Mode == Available {
		return m.available(timeNs, uint64(s.options.Tolerance))
	}
	return m.decided(timeNs, uint64(s.options.Tolerance), wait)
}

// isWhole says whether no frame was overwritten while others were waited for. Without its driver's frame there is no set.
func (s *Sync) isWhole(set *Set) bool {
	if !s.pending.Valid() {
		s.pending = nil
		s.members[s.driver].overwritten++
		return false
	}
	for _, frame := range set.Frames {
		if frame != nil && !frame.Valid() {
			return false // decided anew without it
		}
	}
	return true
}

func (s *Sync) give(set *Set) {
	s.pending = nil
	for name, frame := range set.Frames {
		if frame != nil && name != s.driver {
			s.members[name].take(frame)
		}
	}
}

// Missed is the number of frames of each stream that came into no set because they were overwritten.
func (s *Sync) Missed() map[string]uint64 {
	missed := map[string]uint64{}
	for name, m := range s.members {
		missed[name] = m.missed()
	}
	return missed
}

// State is how the writer of one of the streams is; Dead where there is no such stream.
func (s *Sync) State(name string) State {
	if m := s.members[name]; m != nil && m.reader != nil {
		return m.reader.State()
	}
	return Dead
}

// Close lets go of the rings. Frames already given stay as they are.
func (s *Sync) Close() error {
	s.closed, s.pending = true, nil
	for _, m := range s.members {
		m.close()
	}
	return nil
}
