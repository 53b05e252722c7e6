"""Finds what moves in a video stream (OpenCV's MOG2) and publishes a box around each: detect_motion.py [film [detections]]

A message is {"boxes": [[x, y, width, height], ...]} in pixels of the frame that it refers to.
"""
import os, sys
import cv2
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients/python"))
import streamem

SCALE = 4  # a quarter of the width and height is enough to see motion, and costs a sixteenth
SMALLEST = 40  # pixels of the small picture
KERNEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def moving_boxes(background, picture):
    small = cv2.resize(picture, None, fx=1 / SCALE, fy=1 / SCALE, interpolation=cv2.INTER_AREA)
    mask = background.apply(small)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL)  # single pixels are noise
    mask = cv2.dilate(mask, KERNEL, iterations=2)  # parts of one thing grow together
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [[SCALE * n for n in cv2.boundingRect(o)] for o in outlines if cv2.contourArea(o) >= SMALLEST]


def main(source="film", target="detections"):
    background = cv2.createBackgroundSubtractorMOG2(history=50, detectShadows=False)
    with streamem.open(source, timeout=30) as camera, streamem.create(target, {"kind": "message"}) as detections:
        while True:
            frame = camera.newest()  # what is too late to be looked at is left out
            boxes = moving_boxes(background, frame.array)
            if frame.valid():  # else it was overwritten while we looked at it
                detections.publish({"boxes": boxes}, refers_to=frame)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
