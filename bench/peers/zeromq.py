# peer: {"contenders": [{"name": "ZeroMQ over ipc", "mode": "blocking"}], "pip": ["numpy==2.4.6", "pyzmq==27.3.0"]}
"""PUB and SUB over a Unix socket, at most four frames waiting on either side."""

import os

import zmq

HELD = 4
versions = {"pyzmq": zmq.__version__, "libzmq": zmq.zmq_version()}


def address(setup):
    return "ipc://%s/%s.zmq" % (os.environ["STREAMEM_DIR"], setup.name)


class Writer:
    def __init__(self, setup):
        self.socket = zmq.Context().socket(zmq.PUB)
        self.socket.set_hwm(HELD)
        self.socket.linger = 0
        self.socket.bind(address(setup))

    def put(self, frame):
        self.socket.send(frame)  # copied: the frame's memory is filled again at once

    def close(self):
        self.socket.close()


class Reader:
    def __init__(self, setup):
        self.socket = zmq.Context().socket(zmq.SUB)
        self.socket.set_hwm(HELD)
        self.socket.subscribe(b"")
        self.socket.connect(address(setup))

    def get(self):
        return self.socket.recv(copy=False).buffer
