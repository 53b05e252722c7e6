// line_reader PREFIX reads the stream "s" and prints {"generation"} for each generation of which it is given a frame.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"streamem"
)

func main() {
	reader, err := streamem.Open("s", streamem.Options{Prefix: os.Args[1], Timeout: 10 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	for seen := ""; ; {
		frame := reader.Next(time.Second)
		if frame == nil || frame.Generation() == seen {
			continue
		}
		seen = frame.Generation()
		fmt.Printf("{\"generation\":%q}\n", seen)
	}
}
