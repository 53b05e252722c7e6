// sync_sets PREFIX MODE TOLERANCE_NS DRIVER NAMES… prints the sets of a trace, a line of JSON each: see
// clients/vectors/sync/README.md.
package main

import (
	"encoding/binary"
	"encoding/json"
	"log"
	"os"
	"strconv"
	"time"

	"streamem"
)

type object = map[string]any

func main() {
	if len(os.Args) < 6 {
		log.Fatal("usage: sync_sets PREFIX MODE TOLERANCE_NS DRIVER NAMES…")
	}
	tolerance, err := strconv.ParseInt(os.Args[3], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	options := streamem.SyncOptions{Prefix: os.Args[1], Tolerance: time.Duration(tolerance), Timeout: 10 * time.Second}
	if os.Args[2] == "available" {
		options.Mode = streamem.Available
	}
	if os.Args[4] != "-" {
		options.Driver = os.Args[4]
	}
	sets, err := streamem.OpenSync(os.Args[5:], options)
	if err != nil {
		log.Fatal(err)
	}
	defer sets.Close()
	for last := time.Now(); time.Since(last) < time.Second; {
		set, err := sets.Next(100 * time.Millisecond)
		if err != nil {
			log.Fatal(err)
		}
		if set != nil {
			print(set)
		}
		if state := sets.State(sets.Driver()); set != nil || state != streamem.Retired && state != streamem.Dead {
			last = time.Now()
		}
	}
}

func print(set *streamem.Set) {
	members := object{}
	for name, reason := range set.Missing {
		members[name] = reason
	}
	for name, frame := range set.Frames {
		if frame != nil {
			check(name, frame)
			members[name] = object{"generation": frame.Generation(), "sequence": streamem.Known(frame.Seq)}
		}
	}
	line := object{"time_ns": streamem.Known(set.TimeNs), "driver": set.Driver, "members": members}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		log.Fatal(err)
	}
}

func check(name string, frame *streamem.Frame) {
	data, right := frame.Data(), frame.Len() == 64
	for i := uint32(0); right && i < 16; i++ {
		right = binary.LittleEndian.Uint32(data[4*i:]) == uint32(frame.Seq)*16+i
	}
	if frame.Valid() && !right {
		log.Fatalf("%s %d: wrong words: %x", name, frame.Seq, data)
	} else if !right {
		log.Fatalf("%s %d was overwritten", name, frame.Seq)
	}
}
