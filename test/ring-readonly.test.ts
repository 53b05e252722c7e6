// What the kernel says a reader has of a ring: mappings and descriptors for reading only, in each language. That writing
// through them in C and TypeScript ends the process stands in faults.test.ts; here is Python's.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createWriter, type StreamSpec } from "../src/ring.ts";
import { languages, type Reader, readers } from "./ring-languages.ts";
import { cleanUpAfterwards, finish, freshPrefix, Talk, temporaryFolder } from "./ring-programs.ts";

cleanUpAfterwards();

const directory = temporaryFolder("o");
const started: Talk[] = [];
afterAll(() => Promise.all(started.map((program) => program.kill())));

/** A ring of this process, with a frame of sevens in it. */
function ring() {
  const prefix = freshPrefix();
  const spec: StreamSpec = { kind: "tensor", dtype: "|u1", shape: [8] };
  const writer = createWriter("s", spec, { prefix, directory });
  writer.publish(new Uint8Array(8).fill(7));
  return { prefix, writer, path: writer.descriptor.shm.path };
}

/** O_RDONLY, O_WRONLY or O_RDWR of each descriptor that a process has of a file. */
function accessModes(pid: number, path: string): number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path)
    .map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8").match(/flags:\s+(\d+)/)?.[1])
    .map((flags) => Number.parseInt(flags ?? "", 8) & 3);
}

// In C and TypeScript: map with PROT_READ | PROT_WRITE and MAP_PRIVATE in streamem__ring_from_fd (MAP_SHARED the kernel
// refuses), or open with O_RDWR in streamem__open_ring. In Python: mmap.ACCESS_COPY in _Ring._open, or O_RDWR in
// Reader._open_ring.
test.concurrent.each(languages)("%s maps and opens for reading only", async (language) => {
  const { prefix, writer, path } = ring();
  const reader = new Talk((readers[language] as Reader)(prefix), { STREAMEM_DIR: directory });
  started.push(reader);
  expect(JSON.parse(await reader.line())).toMatchObject({ generation: writer.generation });
  const maps = readFileSync(`/proc/${reader.pid}/maps`, "utf8").split("\n");
  const ours = maps.filter((line) => line.endsWith(path)).map((line) => line.split(" ")[1]);
  expect(new Set(ours)).toEqual(new Set(["r--s"]));
  expect(new Set(accessModes(reader.pid, path))).toEqual(new Set([0]));
  await reader.kill();
  writer.close();
});

/** Writes to a frame by Python's own means, then by its address in a forked child, as ctypes or a C extension would. */
const pythonWrites = `
import ctypes, os, sys
sys.path.insert(0, ${JSON.stringify(join(import.meta.dir, "../clients/python"))})
import streamem
frame = streamem.open("s", prefix=sys.argv[1]).latest()
try:
    frame.data[0] = 1
except TypeError:
    print("refused")
with open("/proc/self/maps") as maps:
    ring = [line.split("-")[0] for line in maps if "/%s.s" % sys.argv[1] in line]
for address in ring:
    child = os.fork()
    if child == 0:
        ctypes.memset(int(address, 16), 1, 1)
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(child, 0)[1]))
`;

// Python with mmap.ACCESS_COPY: one of the children lives.
test.skipIf(!readers.Python)("Python: writing is refused, or ends in SIGSEGV", async () => {
  const { prefix, writer } = ring();
  const python = Bun.which("python3") as string;
  const done = await finish([python, "-c", pythonWrites, prefix]);
  expect(done).toMatchObject({ stderr: "", ended: "exit 0" });
  expect(done.stdout).toMatch(/^refused\n(11\n)+$/);
  expect(writer.sequence).toBe(1n);
  writer.close();
});
