"""Prints the newest N frames as one array: stack.py NAME N."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))  # not needed beside streamem.py
import streamem

n = int(sys.argv[2])
with streamem.open(sys.argv[1], timeout=5) as reader:
    stack = reader.stack(n)
    while stack is None or len(stack.seqs) < n:
        reader.next()  # beyond what the ring holds it fills as frames are taken
        stack = reader.stack(n)
    shape, seqs = "x".join(str(size) for size in stack.array.shape), " ".join(str(seq) for seq in stack.seqs)
    print("stack %s sequences %s" % (shape, seqs))
