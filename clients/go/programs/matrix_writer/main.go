// matrix_writer PREFIX STREAM BYTES SLOTS SECONDS publishes frames at full rate in which every word depends on the sequence,
// then ends the stream and prints {"published":N}.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"streamem"
)

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: matrix_writer PREFIX STREAM BYTES SLOTS SECONDS")
	}
	bytes, slots := number(os.Args[3]), number(os.Args[4])
	descriptor := streamem.Descriptor{Kind: "tensor", Dtype: streamem.Typestr("|u1"), Shape: []int{bytes}}
	writer, err := streamem.Create(os.Args[2], descriptor, streamem.CreateOptions{Prefix: os.Args[1], Slots: slots})
	if err != nil {
		log.Fatal(err)
	}
	published := uint64(0)
	for end := time.Now().Add(time.Duration(number(os.Args[5])) * time.Second); time.Now().Before(end); {
		slot, err := writer.Acquire()
		if err != nil {
			log.Fatal(err)
		}
		fill(slot, published+1)
		if published, err = writer.Commit(bytes, streamem.Meta{}); err != nil {
			log.Fatal(err)
		}
	}
	writer.Close()
	fmt.Printf("{\"published\":%d}\n", published)
}

func fill(payload []byte, seq uint64) {
	for i := 0; i < len(payload)/8; i++ {
		binary.LittleEndian.PutUint64(payload[8*i:], (seq+uint64(i))*0x9E3779B97F4A7C15)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		log.Fatalf("%q is no number", text)
	}
	return n
}
