// bench_reader is Go's part of `bun run bench clients`: Latest() with Valid(), and a checked copy into the caller's memory.
// It speaks the protocol of bench/program.h.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"streamem"
)

func timed(what, label string, calls int, call func()) string {
	start := time.Now()
	for i := 0; i < calls; i++ {
		call()
	}
	ns := float64(time.Since(start).Nanoseconds()) / float64(calls)
	return fmt.Sprintf(`{"case":"%s, %s","contender":"Go","condition":"hot","samples":[%.1f]}`, what, label, ns)
}

func main() {
	labels := []string{"64 B", "720p", "1080p"}
	var readers []*streamem.Reader
	for _, label := range labels {
		name := "clients-" + strings.ToLower(strings.ReplaceAll(label, " ", ""))
		reader, err := streamem.Open(name, streamem.Options{Timeout: 10 * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		readers = append(readers, reader)
	}
	fmt.Println(`{"ready":true}`)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var series []string
		for i, reader := range readers {
			frame := reader.Latest()
			first, err := frame.Copy(nil)
			if err != nil {
				log.Fatal(err)
			}
			calls := 5
			if len(first) < 4096 {
				calls = 1000
			}
			series = append(series, timed("latest()", labels[i], 1000, func() {
				if !reader.Latest().Valid() {
					log.Fatal("nobody writes, and the frame is not whole")
				}
			}), timed("a checked copy", labels[i], calls, func() {
				if _, err := frame.Copy(first); err != nil {
					log.Fatal(err)
				}
			}))
		}
		fmt.Printf("{\"series\":[%s]}\n", strings.Join(series, ","))
	}
}
