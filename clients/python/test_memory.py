"""Too little memory is an error with needed and available bytes, or success; never SIGBUS, never a kill.

To see them fail, take out of streamem.py, each on its own: in _Made `if total > room` and its two lines; in Writer._make
`self._give_way()`; in _Made.let_go the closing of the page, which keeps all of the file."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import streamem
import support

MIB = 1 << 20
SMALL_SHM = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=16m tmpfs /dev/shm && exec \"$0\" \"$@\""]


def can_mount():
    try:
        return subprocess.call(SMALL_SHM + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


@unittest.skipUnless(can_mount(), "a mount namespace of one's own needs root and unshare: a small /dev/shm is not tested")
class SmallSharedMemory(support.RingTest):
    """/dev/shm of 16 MiB, in a mount namespace."""

    def big(self, size, slots):
        child = self.start("big", "s", size, slots, before=SMALL_SHM)
        words = child.line()
        self.assertEqual(child.process.wait(), 0)  # neither SIGBUS nor SIGKILL
        return words

    def test_a_ring_that_does_not_fit(self):
        words = self.big(4 * MIB, 8)
        numbers = [int(n) for n in re.findall(r"\d{4,}", words)]
        self.assertTrue(words.startswith("28: stream s needs"), words)  # 28: ENOSPC
        self.assertGreater(numbers[0], 32 * MIB)
        self.assertLessEqual(numbers[1], 16 * MIB)

    def test_two_rings_that_do_not_fit_side_by_side(self):
        self.assertIn("made", self.big(MIB, 10))

    def test_two_rings_that_do(self):
        self.assertIn("made", self.big(MIB, 4))


class Cgroups(unittest.TestCase):
    """What the memory cgroups still allow, read from a copy of their files."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="streamem-test-")
        self.addCleanup(shutil.rmtree, self.root)

    def put(self, path, text):
        path = os.path.join(self.root, path)
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with open(path, "w") as file:
            file.write(text)

    def rooms(self):
        return streamem._cgroup_rooms(os.path.join(self.root, "own"), self.root)

    def test_version_2_counts_each_level_and_the_page_cache(self):
        self.put("own", "0::/a/b\n")
        self.put("a/b/memory.max", "max\n")
        self.put("a/b/memory.current", "5\n")
        self.put("a/memory.max", "1000\n")
        self.put("a/memory.current", "900\n")
        self.put("a/memory.stat", "anon 3\nfile 80\ninactive_file 50\nactive_file 9\n")
        self.assertEqual(self.rooms(), [150])

    def test_version_1(self):
        self.put("own", "9:name=systemd:/x\n4:memory:/a\n3:cpu:/a\n")
        self.put("memory/a/memory.limit_in_bytes", "1000\n")
        self.put("memory/a/memory.usage_in_bytes", "1200\n")
        self.put("memory/a/memory.stat", "inactive_file 7\ntotal_inactive_file 100\n")
        self.put("memory/memory.limit_in_bytes", "9223372036854771712\n")
        self.put("memory/memory.usage_in_bytes", "2000\n")
        self.assertEqual(self.rooms(), [0, 9223372036854771712 - 2000])

    def test_in_a_container_the_mount_is_the_cgroup(self):
        self.put("own", "0::/../../docker/abc\n")
        self.put("memory.max", "100\n")
        self.put("memory.current", "40\n")
        self.assertEqual(self.rooms(), [60])

    def test_none(self):
        self.assertEqual(streamem._cgroup_rooms("/nonexistent", self.root), [])


def own_cgroup():
    """A memory cgroup of 128 MiB (PyPy alone takes 70), as a path, or None."""
    for parent, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        path = os.path.join(parent, "streamem-test-%d" % os.getpid())
        try:
            os.mkdir(path)
            with open(os.path.join(path, limit), "w") as file:
                file.write(str(128 * MIB))
            return path
        except OSError:
            if os.path.isdir(path):
                os.rmdir(path)
    return None


class SmallCgroup(support.RingTest):
    def test_a_limit_that_is_too_small(self):
        cgroup = own_cgroup()
        if cgroup is None:
            self.skipTest("no memory cgroup can be made here: a real memory limit is not tested")
        before = ["sh", "-c", "echo $$ > %s/cgroup.procs && exec \"$0\" \"$@\"" % cgroup]
        child = self.start("big", "s", 8 * MIB, 40, before=before)
        words = child.line()
        self.assertEqual(child.process.wait(), 0)
        os.rmdir(cgroup)
        self.assertTrue(words.startswith("28: stream s needs"), words)
        self.assertLess(int(re.findall(r"\d{4,}", words)[1]), 128 * MIB)


if __name__ == "__main__":
    unittest.main()
