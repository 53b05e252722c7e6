package streamem

import (
	"fmt"
	"os"
	"testing"
)

// go test -bench . -run '^$': the time of Latest with its check, and of a checked copy, beside the bare copy of as many bytes.
func BenchmarkReader(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64B", 64}, {"720p", 1280 * 720 * 3}, {"1080p", 1920 * 1080 * 3}} {
		b.Setenv("STREAMEM_PREFIX", fmt.Sprintf("gb%d", os.Getpid()))
		w, err := Create(size.name[:2], bytesDescriptor(size.bytes), CreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Publish(make([]byte, size.bytes), Meta{}); err != nil {
			b.Fatal(err)
		}
		r, err := Open(size.name[:2], Options{})
		if err != nil {
			b.Fatal(err)
		}
		out, from := make([]byte, size.bytes), make([]byte, size.bytes)
		pattern(out, 1)
		pattern(from, 1) // pages of their own
		b.Run("latest and valid "+size.name, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				if !r.Latest().Valid() {
					b.Fatal("overwritten")
				}
			}
		})
		b.Run("checked copy "+size.name, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				if _, err := r.Latest().Copy(out); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("bare copy "+size.name, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				copy(out, from)
			}
		})
		b.Run("publish "+size.name, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				if _, err := w.Publish(from, Meta{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		r.Close()
		w.Close()
	}
}
