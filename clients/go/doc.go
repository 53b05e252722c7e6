// Package streamem reads and writes rings of sensor frames in shared memory.
//
//	camera, err := streamem.Open("rand-camera", streamem.Options{Timeout: 5 * time.Second})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer camera.Close()
//	for {
//		frame := camera.Newest(streamem.Forever)   // waits for a frame this reader has not had
//		pixels := frame.Data()                     // a view into the ring: read-only, no copy
//		sum := work(pixels)
//		if frame.Valid() {                         // overwritten while we worked on it: drop the result
//			fmt.Println(frame.Seq, frame.Shape, frame.Missed, frame.Age(), sum)
//		}
//	}
//
//	results, err := streamem.Create("detections", streamem.Descriptor{Kind: "message"}, streamem.CreateOptions{})
//	defer results.Close()
//	results.PublishMessage(boxes, streamem.Meta{RefersTo: frame.Reference()})
//
// A stream is a file, /dev/shm/<prefix>.<name>: a header, a JSON descriptor and N slots that one writer fills in turn and
// never waits. native/LAYOUT.md is the contract; letters in comments, such as (A) and (F), are those of its table of the
// memory order. A restarted writer makes a new file, a new generation; readers follow it by themselves.
//
// Views. Data and Array point into the ring. The writer overwrites them slots - 1 frames later: a true Valid after the last
// use covers everything that was read before it, and Copy is checked. The memory stays mapped for as long as the Frame is
// reachable, which the call of Valid after the use sees to; a slice alone does not hold it. Writing to a view ends the
// process: it is mapped read-only.
//
// Times are ns on CLOCK_MONOTONIC unless the name says otherwise. A Reader belongs to one goroutine at a time and occupies
// a thread while it waits; a Writer may be used by several.
//
// Needs Linux on x86-64 or arm64, where every word above has the order that it needs: fence_amd64.s, fence_arm64.s.
package streamem
