// vectors answers the ring files named on the command line, a line of JSON each: see clients/vectors/README.md.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"streamem"
)

type object = map[string]any

func frame(f *streamem.Frame) any {
	if f == nil {
		return nil
	}
	payload, _ := f.Copy(nil)
	to, _ := f.RefersTo()
	fields, _ := f.Fields()
	for name, value := range fields { // as decimals, which no reader of JSON rounds
		if text := fmt.Sprint(value); text[0] == '[' {
			fields[name] = strings.Fields(strings.Trim(text, "[]"))
		} else {
			fields[name] = text
		}
	}
	return object{"seq": streamem.Known(f.Seq), "shape": f.Shape, "clockEpoch": f.ClockEpoch, "deviceTime": f.DeviceTime,
		"captureTimeNs": f.CaptureTimeNs, "timeErrorNs": f.TimeErrorNs, "publishTimeNs": streamem.Known(f.PublishTimeNs),
		"publishUtcNs": streamem.Known(f.PublishUTCNs), "payload": hex.EncodeToString(payload), "fieldValues": fields, "refersTo": to}
}

func answer(path string) object {
	reader, err := streamem.Open(path, streamem.Options{})
	if err != nil {
		return object{"open": "error", "error": err.Error()}
	}
	defer reader.Close()
	last := map[int][]streamem.Maybe{1: {}, 2: {}, 3: {}}
	for n := range last {
		frames, _ := reader.Last(n)
		for _, f := range frames {
			last[n] = append(last[n], streamem.Known(f.Seq))
		}
	}
	return object{"open": "ok", "generation": reader.Generation(), "retired": reader.State() == streamem.Retired,
		"descriptor": reader.Descriptor().Raw, "latest": frame(reader.Latest()), "last": last}
}

func main() {
	for _, path := range os.Args[1:] {
		line := answer(path)
		line["file"] = filepath.Base(path)
		_ = json.NewEncoder(os.Stdout).Encode(line)
	}
}
