// What C and C++ have beside streamem.h: messages that refer to frames, the RAII wrapper, and that all of it is C11 and C++17.
// sync, the samples and the matrix of languages have tests of their own.
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openReader } from "../src/ring.ts";
import { cProgram, cpp } from "./c-programs.ts";
import { cleanUpAfterwards, compiler, finish, run } from "./ring-programs.ts";
import { camera, TestRings, until } from "./rings.ts";

cleanUpAfterwards();

const root = join(import.meta.dir, "..");
const clients = join(root, "clients/c");
const rings = new TestRings("c");
afterAll(() => rings.close());
const { prefix } = rings;

describe.skipIf(!compiler || !cpp)("C and C++:", () => {
  const sources = ["", "samples"].flatMap((folder) =>
    readdirSync(join(clients, folder))
      .filter((name) => name.endsWith(".c"))
      .map((name) => join(folder, name)),
  );
  test("every program is C11 and C++17 without a warning", () => {
    expect(sources.length).toBeGreaterThan(8);
    for (const source of sources) for (const as of ["C11", "C++17"]) cProgram(source, as);
  }, 120_000); // only so that a compiler that hangs is ended

  // To see it fail: take the check of the stream's name, or of the field's offset, out of streamem_message.h.
  test("what a message refers to, by every vector", async () => {
    const vectors = join(root, "clients/vectors");
    const names = readdirSync(vectors).filter((name) => name.endsWith(".ring"));
    const wanted: [string, unknown][] = [];
    for (const name of names) {
      const vector = await Bun.file(join(vectors, name.replace(".ring", ".json"))).json();
      if (vector.open === "ok") wanted.push([name, vector.latest?.refersTo ?? null]);
    }
    const files = wanted.map(([name]) => join(vectors, name));
    const lines = run([cProgram("references.c"), ...files])
      .trimEnd()
      .split("\n");
    expect(lines.map((line, i) => [wanted[i]?.[0], JSON.parse(line)])).toEqual(wanted);
    expect(wanted.filter(([, reference]) => reference !== null).length).toBeGreaterThan(1);
  });

  test("a C++ program gives its results back, each with the frame that it is of", async () => {
    const writer = rings.writer("camera", camera);
    const picture = new Uint8Array(4 * 6 * 3).fill(9);
    const meta = { captureTimeNs: 77n, timeErrorNs: 5n, clockEpoch: 2 };
    const running = finish([cProgram("raii.cpp"), "camera", "means", "2"], rings.environment);
    await until(() => rings.exists("means"));
    const reader = await openReader("means", { prefix });
    writer.publish(picture, meta);
    const message = await reader.next({ timeoutMs: 30_000 });
    expect(message?.message).toEqual({ mean: 9 });
    expect(message?.refersTo).toEqual({
      stream: "camera",
      generation: writer.generation,
      sequence: 1n,
      captureTimeNs: 77n,
    });
    const { captureTimeNs, timeErrorNs, clockEpoch } = message ?? {};
    expect({ captureTimeNs, timeErrorNs, clockEpoch }).toEqual(meta);
    writer.publish(picture);
    const { stdout, stderr, ended } = await running;
    expect(stderr + ended).toBe("exit 0");
    expect(stdout).toBe("frame 1 mean 9\nframe 2 mean 9\n");
    expect(rings.exists("means")).toBe(false); // the writer went with its scope
    reader.close();
  });

  test("a C++ program is told in words why it cannot go on", async () => {
    const { stderr, ended } = await finish([cProgram("raii.cpp"), "No Name", "x", "1"]);
    expect(ended).toBe("exit 1");
    expect(stderr).toContain('stream name "No Name": allowed are');
  });
});
