# peer: {"contenders": [{"name": "Zenoh shared memory, Python", "mode": "blocking"}], "pip": ["numpy==2.4.6", "eclipse-zenoh==1.10.2"]}
"""Peers that know each other's Unix socket; the bytes in Zenoh's shared memory, a ring of four frames at the subscriber."""

import json
import os
from importlib.metadata import version

import zenoh

versions = {"eclipse-zenoh (PyPI)": version("eclipse-zenoh")}
HELD = 4


def session(setup, role):
    config = zenoh.Config()
    endpoint = "unixsock-stream/%s/%s.zenoh" % (os.environ["STREAMEM_DIR"], setup.name)
    for key, value in {"mode": "peer", "scouting/multicast/enabled": False, "scouting/gossip/enabled": False,
                       "transport/shared_memory/enabled": True, role + "/endpoints": [endpoint]}.items():
        config.insert_json5(key, json.dumps(value))
    return zenoh.open(config)


class Writer:
    def __init__(self, setup):
        self.session = session(setup, "listen")
        self.bytes = setup.bytes
        self.provider = zenoh.shm.ShmProvider.default_backend(max(1 << 20, 12 * setup.bytes))
        self.policy = zenoh.shm.BlockOn(zenoh.shm.GarbageCollect())
        self.publisher = self.session.declare_publisher(setup.name, congestion_control=zenoh.CongestionControl.DROP)

    def put(self, frame):
        memory = self.provider.alloc(self.bytes, policy=self.policy)
        memory[:] = bytes(frame)
        self.publisher.put(memory)

    def close(self):
        self.session.close()


class Reader:
    def __init__(self, setup):
        self.session = session(setup, "connect")
        self.subscriber = self.session.declare_subscriber(setup.name, zenoh.handlers.RingChannel(HELD))

    def get(self):
        return self.subscriber.recv().payload.to_bytes()
