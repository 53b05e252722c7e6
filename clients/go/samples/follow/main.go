// follow NAME [COUNT] takes each frame in order and prints shape, rate and missed frames once a second, and at the end.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"streamem"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("usage: follow NAME [COUNT]")
	}
	count := -1
	if len(os.Args) == 3 {
		var err error
		if count, err = strconv.Atoi(os.Args[2]); err != nil || count < 1 {
			log.Fatalf("COUNT is a number of frames, not %q", os.Args[2])
		}
	}
	reader, err := streamem.Open(os.Args[1], streamem.Options{Timeout: 10 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	follow(reader, count)
}

// follow ends after count frames; a negative count never comes to its end.
func follow(reader *streamem.Reader, count int) {
	shape, taken, missed, start := "-", 0, reader.Missed(), time.Now()
	line := func() {
		fmt.Printf("shape %s rate %.1f missed %d\n", shape, float64(taken)/time.Since(start).Seconds(), reader.Missed()-missed)
		taken, missed, start = 0, reader.Missed(), time.Now()
	}
	for count != 0 {
		if frame := reader.Next(time.Until(start.Add(time.Second))); frame != nil {
			shape = strings.Trim(strings.ReplaceAll(fmt.Sprint(frame.Shape), " ", "x"), "[]")
			taken++
			count--
		}
		if time.Since(start) >= time.Second {
			line()
		}
	}
	if taken > 0 {
		line()
	}
}
