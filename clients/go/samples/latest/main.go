// latest NAME prints what the newest frame of a stream is.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"streamem"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: latest NAME")
	}
	reader, err := streamem.Open(os.Args[1], streamem.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	frame := reader.Latest()
	if frame == nil {
		fmt.Println("no frame yet")
		return
	}
	shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(frame.Shape), " ", "x"), "[]")
	fmt.Printf("sequence %d shape %s dtype %s age_ms %.1f\n", frame.Seq, shape, frame.Descriptor().Dtype, frame.Age().Seconds()*1e3)
}
