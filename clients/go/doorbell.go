package streamem

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const bellMagic = "SMBELL01"

// offer is what a doorbell hands out.
type offer struct {
	socket     int // open for as long as the generation lives
	event      int // becomes readable at each publish
	ring       int // the ring, read-only
	generation string
}

// ringDoorbell connects to the doorbell at path; nil where there is none, it is full, or it does not answer.
func ringDoorbell(path string) *offer {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	patience := unix.Timeval{Sec: 1}
	_ = unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience)
	_ = unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience)
	if unix.Connect(socket, &unix.SockaddrUnix{Name: path}) == nil {
		if answer := receiveOffer(socket); answer != nil {
			return answer
		}
	}
	unix.Close(socket)
	return nil
}

func receiveOffer(socket int) *offer {
	message := make([]byte, 64)
	control := make([]byte, unix.CmsgSpace(4*4))
	n, controlBytes, _, _, err := unix.Recvmsg(socket, message, control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil
	}
	var received []int
	parts, _ := unix.ParseSocketControlMessage(control[:controlBytes])
	for i := range parts {
		fds, _ := unix.ParseUnixRights(&parts[i])
		received = append(received, fds...)
	}
	if n == 24 && string(message[:8]) == bellMagic && len(received) == 2 {
		_ = unix.SetNonblock(received[0], true) // else a foreign writer could keep us in read
		return &offer{socket, received[0], received[1], hex.EncodeToString(message[8:24])}
	}
	for _, fd := range received {
		unix.Close(fd)
	}
	return nil
}

// findDoorbell looks where the doorbell of this stream may be: STREAMEM_DIR, if set, is the only place.
func (r *Reader) findDoorbell() *offer {
	for _, path := range r.doorbellPaths() {
		if answer := ringDoorbell(path); answer != nil {
			return answer
		}
	}
	return nil
}

func (r *Reader) doorbellPaths() []string {
	file := filepath.Base(r.path) + ".sock"
	if own := os.Getenv("STREAMEM_DIR"); own != "" {
		return []string{filepath.Join(own, file)}
	}
	var paths []string
	if r.ring != nil && r.ring.descriptor.Wake != nil {
		paths = append(paths, *r.ring.descriptor.Wake)
	}
	if session := os.Getenv("XDG_RUNTIME_DIR"); session != "" {
		paths = append(paths, filepath.Join(session, "streamem", file))
	}
	return append(paths, filepath.Join("/run/streamem", file), filepath.Join("/tmp/streamem-"+strconv.Itoa(os.Geteuid()), file))
}
