# peer: {"contenders": [{"name": "Redis pub/sub", "mode": "blocking"}], "pip": ["numpy==2.4.6", "redis==8.1.0"], "commands": ["redis-server"]}
"""A server of its own over a Unix socket; a subscriber whose 32 MB are full is cut off by it and comes again."""

import ctypes
import os
import signal
import subprocess
import time
from importlib.metadata import version

import redis

versions = {"redis (PyPI)": version("redis"),
            "redis-server": subprocess.check_output(["redis-server", "--version"], text=True).split()[2].partition("=")[2]}


def path(setup):
    return "%s/%s.redis" % (os.environ["STREAMEM_DIR"], setup.name)


def share(setup):
    return subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path(setup), "--save", "", "--appendonly", "no",
         "--dir", os.environ["STREAMEM_DIR"]],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGTERM),  # PR_SET_PDEATHSIG: ends also with a killed writer
    )


def connect(setup):
    client = redis.Redis(unix_socket_path=path(setup))
    for _ in range(200):
        try:
            client.ping()
            return client
        except redis.ConnectionError:
            time.sleep(0.05)
    raise SystemExit("redis-server does not answer")


class Writer:
    def __init__(self, setup):
        self.client, self.server = connect(setup), setup.shared
        self.pids = [self.server.pid]

    def put(self, frame):
        self.client.publish("frames", frame)

    def close(self):
        self.server.terminate()
        self.server.wait()


class Reader:
    def __init__(self, setup):
        self.subscription = connect(setup).pubsub(ignore_subscribe_messages=True)
        self.subscription.subscribe("frames")

    def get(self):
        message = self.subscription.get_message(timeout=None)
        return message and message["data"]
