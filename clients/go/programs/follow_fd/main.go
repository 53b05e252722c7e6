// follow_fd NAME COUNT waits on the reader's descriptor alone, and prints generation and sequence of each frame.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"streamem"
)

func main() {
	reader, err := streamem.Open(os.Args[1], streamem.Options{Timeout: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fd, err := reader.Fd()
	if err != nil {
		log.Fatal(err)
	}
	for {
		for frame := reader.Next(0); frame != nil; frame = reader.Next(0) {
			fmt.Println(frame.Generation(), frame.Seq)
			if count--; count == 0 {
				return
			}
		}
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); err != nil && err != unix.EINTR {
			log.Fatal(err)
		}
	}
}
