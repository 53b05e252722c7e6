// sync NAME NAME [COUNT] lines two streams up in time and prints which of their frames belong together.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"streamem"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 || len(os.Args) > 4 {
		log.Fatal("usage: sync NAME NAME [COUNT]")
	}
	names, count := os.Args[1:3], -1
	if len(os.Args) == 4 {
		var err error
		if count, err = strconv.Atoi(os.Args[3]); err != nil || count < 1 {
			log.Fatalf("COUNT is a number of sets, not %q", os.Args[3])
		}
	}
	sets, err := streamem.OpenSync(names, streamem.SyncOptions{Tolerance: 20 * time.Millisecond, Timeout: 10 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer sets.Close()
	for ; count != 0; count-- {
		set, err := sets.Next(streamem.Forever)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("time_ns %d", set.TimeNs)
		for _, name := range names {
			if frame := set.Frames[name]; frame != nil {
				fmt.Printf(" %s %d", name, frame.Seq)
			} else {
				fmt.Printf(" %s %s", name, set.Missing[name])
			}
		}
		fmt.Println()
	}
}
