package streamem

import (
	"errors"
	"fmt"
)

// What errors.Is tells apart. The texts around them say what was wrong, where, and what to do.
var (
	ErrNotRing   = errors.New("not a ring")
	ErrVersion   = errors.New("another layout version")
	ErrTruncated = errors.New("truncated")
	ErrDamaged   = errors.New("damaged")
	// ErrLapped: the writer overwrote the frame before it was copied. Not a fault: take a newer one.
	ErrLapped = errors.New("overwritten")
	// ErrBusy: another writer has the stream, or a frame is acquired already.
	ErrBusy = errors.New("busy")
	// ErrNoRoom: too little shared memory; the text has the bytes needed and those there are.
	ErrNoRoom = errors.New("too little shared memory")
	// ErrForked: this process is a forked child of the one that created the ring.
	ErrForked   = errors.New("in a forked child")
	ErrTooLarge = errors.New("too large")
	ErrClosed   = errors.New("closed")
	ErrArgument = errors.New("not allowed")
)

// worded is an error of one of the kinds above, whose text is a sentence of its own.
type worded struct {
	kind error
	text string
}

func (e *worded) Error() string { return e.text }
func (e *worded) Unwrap() error { return e.kind }

func fail(kind error, format string, values ...any) error {
	return &worded{kind, fmt.Sprintf(format, values...)}
}
