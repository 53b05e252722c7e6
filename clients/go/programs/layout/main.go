// layout prints the offsets that the compiler gave the members of a ring's headers, as JSON.
package main

import (
	"encoding/json"
	"log"
	"os"

	"streamem"
)

func main() {
	segment, slot := streamem.Offsets()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"segmentHeader": segment, "slotHeader": slot}); err != nil {
		log.Fatal(err)
	}
}
