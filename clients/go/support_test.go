package streamem

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// A test runs on rings under a prefix of its own. What has to be killed runs in a process of its own: this test program
// once more, with the name of its role in the environment.

const patience = 30 * time.Second // only so that a test that waits in vain ends in words

var roles = map[string]func(arguments []string){}

func TestMain(m *testing.M) {
	if role := os.Getenv("STREAMEM_TEST_ROLE"); role != "" {
		roles[role](os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

var prefixes uint32

// rings gives a prefix that nobody else has; what is left under it is a failure.
func rings(t *testing.T) string {
	t.Helper()
	prefix := fmt.Sprintf("g%d-%d", os.Getpid(), atomic.AddUint32(&prefixes, 1))
	t.Setenv("STREAMEM_PREFIX", prefix)
	t.Setenv("STREAMEM_DIR", t.TempDir())
	t.Cleanup(func() {
		for _, path := range entries(prefix) {
			_ = os.Remove(path)
		}
	})
	return prefix
}

func entries(prefix string) []string {
	shown, _ := filepath.Glob(shmFolder + "/" + prefix + ".*")
	hidden, _ := filepath.Glob(shmFolder + "/." + prefix + ".*")
	return append(hidden, shown...)
}

func bytesDescriptor(n int) Descriptor {
	return Descriptor{Kind: "tensor", Dtype: Typestr("|u1"), Shape: []int{n}}
}

func create(t *testing.T, name string, d Descriptor, options CreateOptions) *Writer {
	t.Helper()
	w, err := Create(name, d, options)
	must(t, err)
	t.Cleanup(func() { w.Close() })
	return w
}

func open(t *testing.T, name string) *Reader {
	t.Helper()
	r, err := Open(name, Options{Timeout: patience})
	must(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, w *Writer, data []byte, meta Meta) uint64 {
	t.Helper()
	seq, err := w.Publish(data, meta)
	must(t, err)
	return seq
}

func until(t *testing.T, what string, ask func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ask(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// child is a process in one of the roles, which is talked to by lines.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, role string, arguments ...string) *child {
	t.Helper()
	command := exec.Command(os.Args[0], arguments...)
	command.Env = append(os.Environ(), "STREAMEM_TEST_ROLE="+role)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	return &child{command, bufio.NewScanner(out)}
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the process ended: %v", c.Wait())
	}
	return c.lines.Text()
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	must(t, c.Process.Kill())
	_ = c.Wait()
}

// Frames of which every word depends on the sequence.

const golden = 0x9E3779B97F4A7C15

func pattern(payload []byte, seq uint64) {
	for i := 0; i+8 <= len(payload); i += 8 {
		binary.LittleEndian.PutUint64(payload[i:], (seq+uint64(i/8))*golden)
	}
}

func holdsPattern(payload []byte, seq uint64) bool {
	for i := 0; i+8 <= len(payload); i += 8 {
		if binary.LittleEndian.Uint64(payload[i:]) != (seq+uint64(i/8))*golden {
			return false
		}
	}
	return true
}
