# peer: {"contenders": [{"name": "multiprocessing.Queue", "mode": "blocking"}], "pip": ["numpy==2.4.6"]}
"""What most Python programs do: one bounded queue for each reader, arrays pickled through a pipe by a thread."""

import multiprocessing

import numpy


def share(setup):
    return [multiprocessing.Queue(maxsize=4) for _ in range(setup.readers)]


class Writer:
    def __init__(self, setup):
        self.queues = setup.shared

    def put(self, frame):
        array = numpy.array(frame)  # its own: the thread pickles it later
        for queue in self.queues:
            queue.put(array)

    def close(self):
        for queue in self.queues:
            queue.cancel_join_thread()


class Reader:
    def __init__(self, setup):
        self.get = setup.shared[setup.index].get
