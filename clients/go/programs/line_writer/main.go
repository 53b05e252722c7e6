// line_writer PREFIX SLOTS BYTES [NAME] is native/test/writer.c in Go, as far as every language has it: it writes the stream NAME,
// else "s". It says "trying", then "ready GENERATION" or "error CODE words"; then a line for each that it is given.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"

	"streamem"
)

func main() {
	slots, bytes, name := number(os.Args[2]), number(os.Args[3]), "s"
	if len(os.Args) > 4 {
		name = os.Args[4]
	}
	descriptor := streamem.Descriptor{Kind: "tensor", Dtype: streamem.Typestr("|u1"), Shape: []int{bytes}}
	options := streamem.CreateOptions{Prefix: os.Args[1], Slots: slots}
	fmt.Println("trying")
	writer, err := streamem.Create(name, descriptor, options)
	if err != nil {
		say("", err)
		os.Exit(1)
	}
	fmt.Println("ready", writer.Generation())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan() && lines.Text() != "close"; {
		if lines.Text() == "renew" {
			err := writer.Renew(descriptor, options)
			say("generation "+writer.Generation(), err)
			continue
		}
		seq, err := writer.Publish(make([]byte, 8), streamem.Meta{})
		say(fmt.Sprintf("sequence %d", seq), err)
	}
	writer.Close()
	fmt.Println("closed")
}

func say(words string, err error) {
	switch {
	case err == nil:
		fmt.Println(words)
	case errors.Is(err, streamem.ErrBusy):
		fmt.Println("error EBUSY", err)
	case errors.Is(err, streamem.ErrNoRoom):
		fmt.Println("error ENOSPC", err)
	default:
		fmt.Println("error EIO", err)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		log.Fatalf("%q is no number", text)
	}
	return n
}
