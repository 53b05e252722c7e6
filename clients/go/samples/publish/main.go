// publish NAME [COUNT] publishes messages, 10 a second: {"n": 1}, {"n": 2} …
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"streamem"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || len(os.Args) > 3 {
		log.Fatal("usage: publish NAME [COUNT]")
	}
	count := 10
	if len(os.Args) == 3 {
		var err error
		if count, err = strconv.Atoi(os.Args[2]); err != nil || count < 1 {
			log.Fatalf("COUNT is a number of messages, not %q", os.Args[2])
		}
	}
	if err := publish(os.Args[1], count); err != nil {
		log.Fatal(err)
	}
}

// publish closes its stream on a signal too: readers then learn that it has ended.
func publish(name string, count int) error {
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	writer, err := streamem.Create(name, streamem.Descriptor{Kind: "message"}, streamem.CreateOptions{})
	if err != nil {
		return err
	}
	defer writer.Close()
	tenth := time.NewTicker(100 * time.Millisecond)
	defer tenth.Stop()
	for n := 1; n <= count; n++ {
		if _, err := writer.PublishMessage(map[string]int{"n": n}, streamem.Meta{}); err != nil {
			return err
		}
		fmt.Printf("published %d\n", n)
		select {
		case <-tenth.C:
		case <-ended.Done():
			return nil
		}
	}
	return nil
}
