package streamem

import (
	"bytes"
	"encoding/json"
)

// toJSON leaves < and > as they are. encoding/json would write them as \u003c, which is the same to a parser, but not to a
// reader that looks for "<f4" in a descriptor without one.
func toJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
