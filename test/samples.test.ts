/**
 * The same five sample programs in every language: same arguments, same lines. To see it fail: print another word in one
 * of them, or leave one out.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cProgram } from "./c-programs.ts";
import { go, goProgram } from "./go-programs.ts";
import { compiler } from "./ring-programs.ts";
import { camera, TestRings } from "./rings.ts";
import { rust, rustProgram } from "./rust-programs.ts";
import { skipping } from "./skipping.ts";

const root = join(import.meta.dir, "../clients");
const samples = ["follow", "latest", "publish", "stack", "sync"];

interface Language {
  folder: string;
  /** Null where this machine cannot run it. */
  command(sample: string): string[] | null;
  /** Those that it has; all unless it cannot publish. */
  has?: string[];
}

const script = (runner: string, folder: string, extension: string) => (sample: string) =>
  Bun.which(runner) ? [runner, join(root, folder, `${sample}.${extension}`)] : null;

const languages: Record<string, Language> = {
  Python: { folder: "python/samples", command: script("python3", "python/samples", "py") },
  PyPy: { folder: "python/samples", command: script("pypy3", "python/samples", "py") },
  TypeScript: {
    folder: "typescript/samples",
    command: (sample) => [process.execPath, join(root, "typescript/samples", `${sample}.ts`)],
  },
  C: {
    folder: "c/samples",
    command: (name) => (compiler ? [cProgram(`samples/${name}.c`)] : null),
  },
  Rust: { folder: "rust/examples", command: (name) => (rust ? [rustProgram(name)] : null) },
  Go: {
    folder: "go/samples",
    command: (name) => (go ? [goProgram(`samples/${name}`)] : null),
  },
  Node: {
    folder: "node/samples",
    command: script("node", "node/samples", "mjs"),
    has: ["follow", "latest", "stack", "sync"],
  },
};

const rings = new TestRings("samples");
afterAll(() => rings.close());
const env = { ...process.env, STREAMEM_PREFIX: rings.prefix, STREAMEM_DIR: rings.directory };

async function run(command: string[], ...words: (string | number)[]): Promise<string[]> {
  const child = Bun.spawn([...command, ...words.map(String)], { env, stderr: "pipe" });
  const [out, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(await child.exited, complaint).toBe(0);
  return out.trimEnd().split("\n");
}

const left = rings.writer("left", camera);
const right = rings.writer("right", { ...camera, rate: 1 });
rings.writer("empty", camera);
const picture = new Uint8Array(4 * 6 * 3);
for (let n = 1n; n <= 5n; n++) left.publish(picture, { captureTimeNs: n * 100_000_000n });
const beat = setInterval(() => left.publish(picture), 20);
afterAll(() => clearInterval(beat));

for (const [language, { folder, command, has = samples }] of Object.entries(languages)) {
  const there = existsSync(join(root, folder)) && command("latest") !== null;
  if (!there) skipping(`samples in ${language}`, `clients/${folder} or what runs it is not there`);
  describe.skipIf(!there)(language, () => {
    const of = (sample: string) => command(sample) as string[];

    test("has them all", () => {
      const names = readdirSync(join(root, folder)).map((file) => file.replace(/\.\w+$/, ""));
      expect(names.filter((name) => name !== "__pycache__").sort()).toEqual(has);
    });

    test("latest", async () => {
      expect(await run(of("latest"), "empty")).toEqual(["no frame yet"]);
      const [line = ""] = await run(of("latest"), "left");
      expect(line).toMatch(/^sequence \d+ shape 4x6x3 dtype \|u1 age_ms -?\d+\.\d$/);
    });

    test("follow", async () => {
      const lines = await run(of("follow"), "left", 5);
      expect(lines.at(-1)).toMatch(/^shape 4x6x3 rate \d+\.\d missed \d+$/);
    });

    test("stack, of more than the ring keeps", async () => {
      const [line = ""] = await run(of("stack"), "left", 9);
      const sequences = line
        .replace(/^stack 9x4x6x3 sequences /, "")
        .split(" ")
        .map(Number);
      expect(sequences).toHaveLength(9);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    });

    test.skipIf(!has.includes("sync"))("sync", async () => {
      const sets = run(of("sync"), "left", "right", 3);
      const driving = setInterval(() => right.publish(picture), 50);
      const lines = await sets;
      clearInterval(driving);
      expect(lines).toHaveLength(3);
      for (const line of lines) {
        expect(line).toMatch(
          /^time_ns \d+ left (\d+|gap|too late|too early|stream down) right \d+$/,
        );
      }
    });

    if (!has.includes("publish")) return; // it only reads
    test("publish", async () => {
      const name = `from-${language.toLowerCase()}`;
      const longer = [...of("publish"), name, "1000"]; // it goes on until it was heard
      const publishing = Bun.spawn(longer, { env, stdout: "ignore" });
      const follow = [process.execPath, join(root, "typescript/samples/follow.ts")];
      const heard = await run(follow, name, 2).finally(() => publishing.kill("SIGKILL"));
      expect(heard.at(-1)).toMatch(/^shape ([7-9]|1[01]) rate/);
      await publishing.exited;
      expect(await run(of("publish"), name, 3)).toEqual([
        "published 1",
        "published 2",
        "published 3",
      ]);
      expect(rings.exists(name)).toBe(false);
    });
  });
}
