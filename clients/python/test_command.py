"""`python3 streamem.py`: the list, one stream's rate, and the offsets."""

import os
import subprocess
import sys
import unittest

import support

FILE = os.path.join(support.HERE, "streamem.py")


class Command(support.RingTest):
    def run_it(self, *arguments):
        process = subprocess.Popen([sys.executable, FILE] + list(arguments), env=self.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        out, err = process.communicate()
        return process.returncode, out.decode(), err.decode()

    def test_no_streams(self):
        code, out, err = self.run_it()
        self.assertEqual((code, out), (0, ""))
        self.assertIn("is the hub running?", err)

    def test_the_list(self):
        self.create("cam", descriptor={"kind": "video", "dtype": "|u1", "shape": [2, 3], "rate": 30}).publish(b"123456")
        self.create("told", descriptor={"kind": "message"})
        code, out, _ = self.run_it()
        lines = [line.split() for line in out.splitlines()]
        self.assertEqual(code, 0)
        self.assertEqual(lines[0][:8], ["cam", "live", "video", "2", "x", "3", "|u1", "30/s"])
        self.assertEqual((lines[1][0], lines[1][-3:]), ("told", ["no", "frame", "yet"]))

    def test_one_stream(self):
        child = self.start("torn_writer", "cam")
        code, out, _ = self.run_it("cam", "--seconds", "2.5")
        child.kill()
        lines = out.splitlines()
        self.assertEqual((code, len(lines)), (0, 3))
        for line in lines:
            self.assertRegex(line, r"^cam +\d+ +[\d.]+ frames/s  missed \d+  live$")

    def test_by_path_and_prefix(self):
        path = self.create("cam").path
        self.assertIn("no frame", self.run_it(path, "--seconds", "0.01")[1])
        self.assertIn("cam", self.run_it("--prefix", self.prefix)[1])
        self.assertNotIn("cam", self.run_it("--prefix", self.prefix + "x")[1])

    def test_wrong_use(self):
        self.assertEqual(self.run_it("--what")[0], 2)
        code, _, err = self.run_it("nothing", "--timeout", "0.01")
        self.assertEqual(code, 1)
        self.assertRegex(err, "^streamem.py: there is no stream nothing")

    def test_copied_alone_to_another_folder(self):
        self.create("cam").publish(bytes(bytearray(16)))
        with open(FILE, "rb") as file, open(os.path.join(self.folder, "streamem.py"), "wb") as copy:
            copy.write(file.read())
        code = "import streamem; print(streamem.open('cam').latest().seq)"
        self.assertEqual(subprocess.check_output([sys.executable, "-c", code], cwd=self.folder, env=self.environment), b"1\n")


if __name__ == "__main__":
    unittest.main()
