// matrix_reader PREFIX STREAM BYTES copies frames in a hot loop, checks every word of what its checked copies let through, and
// prints "waiting" before it opens the stream and {"delivered":N,"rejected":N,"wrong":N,"missed":N} when that has ended.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strconv"
	"time"

	"streamem"
)

// slowBytes: frames up to this size are also copied word by word from the end of the ring, where they are overwritten.
const slowBytes = 4096

var delivered, rejected, wrong int

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: matrix_reader PREFIX STREAM BYTES")
	}
	bytes, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatalf("BYTES is %q", os.Args[3])
	}
	prefix, name := os.Args[1], os.Args[2]
	fmt.Println("waiting")
	reader, err := streamem.Open(name, streamem.Options{Prefix: prefix, Timeout: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	out := make([]byte, bytes)
	for {
		frame := reader.Next(20 * time.Millisecond)
		if frame == nil {
			if reader.State() == streamem.Retired && gone(prefix, name) {
				break
			}
			continue
		}
		take(frame, out, frame.Copy)
		if bytes > slowBytes {
			continue
		}
		if frames, err := reader.Last(reader.Descriptor().Shm.SlotCount - 1); err == nil && len(frames) > 0 {
			oldest := frames[0]
			take(oldest, out, func(out []byte) ([]byte, error) { return slowly(oldest, out) })
		}
	}
	fmt.Printf("{\"delivered\":%d,\"rejected\":%d,\"wrong\":%d,\"missed\":%d}\n", delivered, rejected, wrong, reader.Missed())
}

func take(frame *streamem.Frame, out []byte, copied func([]byte) ([]byte, error)) {
	data, err := copied(out)
	switch {
	case errors.Is(err, streamem.ErrLapped):
		rejected++
	case err != nil || len(data) != len(out) || !whole(data, frame.Seq):
		wrong++
	default:
		delivered++
	}
}

// slowly copies a word at a time and pauses between, so that small frames too are overwritten meanwhile.
func slowly(frame *streamem.Frame, out []byte) ([]byte, error) {
	data := frame.Data()
	if len(data) > len(out) {
		return nil, streamem.ErrArgument
	}
	for i := 0; i+8 <= len(data); i += 8 {
		copy(out[i:i+8], data[i:i+8])
		for start := time.Now(); i%64 == 0 && time.Since(start) < time.Microsecond; {
		}
	}
	if !frame.Valid() {
		return nil, streamem.ErrLapped
	}
	return out[:len(data)], nil
}

func whole(data []byte, seq uint64) bool {
	for i := 0; i < len(data)/8; i++ {
		if binary.LittleEndian.Uint64(data[8*i:]) != (seq+uint64(i))*0x9E3779B97F4A7C15 {
			return false
		}
	}
	return true
}

func gone(prefix, name string) bool {
	_, err := os.Stat("/dev/shm/" + prefix + "." + name)
	return errors.Is(err, fs.ErrNotExist)
}
