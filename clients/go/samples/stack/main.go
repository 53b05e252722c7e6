// stack NAME N takes the newest N frames as one array.
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
	if len(os.Args) != 3 {
		log.Fatal("usage: stack NAME N")
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatalf("N is a number of frames, not %q", os.Args[2])
	}
	reader, err := streamem.Open(os.Args[1], streamem.Options{Timeout: 10 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	stack, err := reader.Stack(n)
	for err == nil && (stack == nil || len(stack.Seqs) < n) { // beyond slots - 1 it fills as frames come
		reader.Next(streamem.Forever)
		stack, err = reader.Stack(n)
	}
	if err != nil {
		log.Fatal(err)
	}
	words := func(numbers any, between string) string {
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", between)
	}
	fmt.Printf("stack %s sequences %s\n", words(stack.Shape, "x"), words(stack.Seqs, " "))
}
