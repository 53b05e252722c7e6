"""Draws detected boxes on the very frame that they were found in, and saves it: draw_boxes.py boxes.png [detections]"""
import os, sys
import cv2
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients/python"))
import streamem


def referred_frame(cameras, reference):
    """The frame itself, or None where it has left its ring."""
    camera = cameras.setdefault(reference.stream, None) or streamem.open(reference.stream, timeout=5)
    cameras[reference.stream] = camera
    frame = camera.nearest(reference.capture_time_ns)
    same = frame is not None and (frame.generation, frame.seq) == (reference.generation, reference.sequence)
    return frame if same else None


def main(out, source="detections"):
    cameras, late = {}, 0
    for message in streamem.open(source, timeout=30):
        boxes, reference = message.message()["boxes"], message.refers_to
        frame = referred_frame(cameras, reference) if boxes else None
        if frame is None:
            late += bool(boxes)
            continue
        try:
            picture = frame.copy()
        except streamem.Lapped:
            late += 1
            continue
        for x, y, width, height in boxes:
            cv2.rectangle(picture, (x, y), (x + width, y + height), (0, 255, 0), 2)
        cv2.imwrite(out, picture)
        print("%d boxes on frame %d of %s, %d came too late" % (len(boxes), frame.seq, reference.stream, late))
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
