// The same small writer and the same small reader of a ring in each language, each in a process of its own.
import { join } from "node:path";
import "../src/ring.ts"; // builds the shim here, once, before many ask for it or one that has no memory for a compiler
import { go, goProgram } from "./go-programs.ts";
import { compiler, program, skipping } from "./ring-programs.ts";
import { rust, rustProgram } from "./rust-programs.ts";

const python = Bun.which("python3");
if (!python) skipping("the ring in Python among the others", "no python3");
const root = join(import.meta.dir, "..");

/** native/test/writer.c in the other languages: the same lines in, the same lines out. */
const typescriptWriter = `
import { createWriter } from ${JSON.stringify(join(root, "src/ring.ts"))};
const [prefix, slots, bytes] = process.argv.slice(-3);
const spec = { kind: "tensor", dtype: "|u1", shape: [Number(bytes)] };
let writer;
function attempt(work) {
  try { console.log(work()); } catch (error) { console.log("error", error.code, error.message); }
}
console.log("trying");
attempt(() => {
  writer = createWriter("s", spec, { prefix, slots: Number(slots) });
  return "ready " + writer.generation;
});
if (!writer) process.exit(1);
for await (const line of console) {
  if (line === "renew") attempt(() => (writer.renew(), "generation " + writer.generation));
  else if (line === "close") break;
  else attempt(() => "sequence " + writer.publish(new Uint8Array(8)));
}
writer.close();
console.log("closed");
process.exit(0);
`;

const pythonPath = `import sys; sys.path.insert(0, ${JSON.stringify(join(root, "clients/python"))})`;
const pythonWriter = `
${pythonPath}
import errno, streamem
prefix, slots, size = sys.argv[1:]
def attempt(work):
    try:
        print(work(), flush=True)
    except streamem.RingError as error:
        print("error %s %s" % (errno.errorcode[error.errno], error), flush=True)
def start():
    global writer
    writer = streamem.create("s", {"kind": "tensor", "dtype": "|u1", "shape": [int(size)]}, slots=int(slots), prefix=prefix)
    return "ready " + writer.generation
def renew():
    writer.renew()
    return "generation " + writer.generation
writer = None
print("trying", flush=True)
attempt(start)
if writer is None:
    sys.exit(1)
for line in sys.stdin:
    if line == "close\\n":
        break
    attempt(renew if line == "renew\\n" else lambda: "sequence %d" % writer.publish(b"12345678", shape=[8]))
writer.close()
print("closed", flush=True)
`;

/** The command of a writer or reader of the stream "s". */
export type Writer = (prefix: string, slots: number, bytes: number) => string[];
/** Writers by language, where it can be had. */
export const writers: Record<string, Writer> = {
  TypeScript: (...words) => [process.execPath, "-e", typescriptWriter, ...words.map(String)],
};
if (compiler)
  writers.C = (prefix, slots, bytes) =>
    [program("writer"), prefix, "s", "slots", slots, "bytes", bytes].map(String);
if (python) writers.Python = (...words) => [python, "-c", pythonWriter, ...words.map(String)];
if (go) writers.Go = (...words) => [goProgram("programs/line_writer"), ...words.map(String)];
if (rust) writers.Rust = (...words) => [rustProgram("line_writer"), ...words.map(String)];

export const languages = Object.keys(writers);

export type Reader = (prefix: string) => string[];

/** Prints {"generation"} for each generation of which it is given a frame, as native/test/reader.c does. */
const typescriptReader = `
import { openReader } from ${JSON.stringify(join(root, "src/ring.ts"))};
const reader = await openReader("s", { prefix: process.argv.at(-1), timeoutMs: 10000 });
let seen = "";
for await (const { generation } of reader) {
  if (generation !== seen) console.log(JSON.stringify({ generation }));
  seen = generation;
}
`;
const pythonReader = `
${pythonPath}
import json, streamem
seen = ""
for frame in streamem.open("s", timeout=10, prefix=sys.argv[1]):
    if frame.generation != seen:
        print(json.dumps({"generation": frame.generation}), flush=True)
    seen = frame.generation
`;
/** Readers by language, where it can be had. */
export const readers: Record<string, Reader> = {
  TypeScript: (prefix) => [process.execPath, "-e", typescriptReader, prefix],
};
if (compiler)
  readers.C = (prefix) => [program("reader"), prefix, "s", "futex", "1000000000", "60000"];
if (python) readers.Python = (prefix) => [python, "-c", pythonReader, prefix];
if (go) readers.Go = (prefix) => [goProgram("programs/line_reader"), prefix];
if (rust) readers.Rust = (prefix) => [rustProgram("line_reader"), prefix];
