// Every language answers every vector alike. clients/vectors/README.md says what an answer is.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { staleFiles } from "../clients/vectors/generate.ts";
import { go, goProgram } from "./go-programs.ts";
import { rust, rustProgram } from "./rust-programs.ts";

type Frame = Record<string, unknown>;
interface Expected {
  about: string;
  open: "ok" | "error";
  errorFrom?: "header" | "descriptor";
  errorMentions?: string[];
  generation?: string;
  retired?: boolean;
  descriptor?: unknown;
  latest?: Frame | null;
  last?: Record<string, string[]>;
}
type Answer = Omit<Expected, "about"> & { file: string; error?: string };

const TIMEOUT_MS = 60_000; // only so that a runner that hangs is ended
const root = join(import.meta.dir, "..");
const folder = join(root, "clients/vectors");
const build = mkdtempSync(join(tmpdir(), "streamem-vectors-"));
afterAll(() => rmSync(build, { recursive: true, force: true }));

const names = readdirSync(folder)
  .filter((name) => name.endsWith(".ring"))
  .map((name) => name.slice(0, -".ring".length));
const expectations = new Map<string, Expected>();
for (const name of names) {
  expectations.set(name, (await Bun.file(join(folder, `${name}.json`)).json()) as Expected);
}

function run(command: string[]): string {
  const done = Bun.spawnSync(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) {
    const ended = done.signalCode ?? `exit status ${done.exitCode}`;
    throw new Error(
      `${command.slice(0, 3).join(" ")}: ${ended}\n${done.stderr.toString().slice(-4000)}`,
    );
  }
  return done.stdout.toString();
}

/** Numbers as decimal strings, at any depth. */
function decimals(value: unknown): unknown {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(decimals);
  const members = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(members.map(([key, member]) => [key, decimals(member)]));
}

/** A frame's members that the vector has; what README.md allows a reader not to know is taken as right. */
function comparableFrame(answer: Frame, wanted: Frame): Frame {
  const frame = Object.fromEntries(Object.keys(wanted).map((key) => [key, answer[key]]));
  if (answer.fieldValues) frame.fieldValues = decimals(answer.fieldValues);
  frame.dimensions ??= wanted.dimensions;
  if (answer.refersTo === undefined && wanted.refersTo !== undefined)
    frame.refersTo = wanted.refersTo;
  if (wanted.dimensions === 0) frame.shape ??= wanted.shape;
  if (answer.fields !== undefined) frame.fieldValues ??= wanted.fieldValues;
  if (answer.fieldValues !== undefined) frame.fields ??= wanted.fields;
  return frame;
}

/** The parts of the answer that the vector fixes, in the vector's own form. */
function comparable(answer: Answer, wanted: Expected): unknown {
  const { about } = wanted;
  if (wanted.open === "error") {
    const text = (answer.error ?? "").toLowerCase();
    const named = wanted.errorMentions?.some((word) => text.includes(word.toLowerCase()));
    const fitting = { ...wanted, open: answer.open };
    return named ? fitting : { ...fitting, errorMentions: answer.error };
  }
  const { open, generation, retired, error } = answer;
  const descriptor =
    typeof answer.descriptor === "string" ? JSON.parse(answer.descriptor) : answer.descriptor;
  const latest = answer.latest && comparableFrame(answer.latest, wanted.latest ?? {});
  const asked = Object.keys(wanted.last ?? {});
  const last = Object.fromEntries(asked.map((n) => [n, answer.last?.[n]]));
  return { about, open, ...(error && { error }), generation, retired, descriptor, latest, last };
}

/** Runs one language on all vectors. `parses`: whether it looks into the descriptor's JSON. */
function checkRunner(command: string[], parses: boolean): void {
  const files = names.map((name) => join("clients/vectors", `${name}.ring`));
  const lines = run([...command, ...files])
    .trimEnd()
    .split("\n");
  const answers = lines.map((line) => JSON.parse(line) as Answer);
  expect(answers.map((answer) => answer.file)).toEqual(names.map((name) => `${name}.ring`));
  const wrong = answers.flatMap((answer, i) => {
    const name = names[i] as string;
    const wanted = expectations.get(name) as Expected;
    if (wanted.errorFrom === "descriptor" && !parses && answer.open === "ok") return [];
    const got = comparable(answer, wanted);
    return Bun.deepEquals(got, wanted) ? [] : [{ name, wanted, got }];
  });
  expect(wrong.map(({ got, name }) => ({ name, ...(got as object) }))).toEqual(
    wrong.map(({ wanted, name }) => ({ name, ...wanted })),
  );
}

test("the vectors are what generate.ts makes", () => {
  expect(staleFiles(folder)).toEqual([]);
  expect(names.length).toBeGreaterThan(90);
});

const python = ["python3", "pypy3"].filter((name) => Bun.which(name));
for (const interpreter of python) {
  test(
    `${interpreter} answers every vector`,
    () => {
      checkRunner([interpreter, "clients/python/vectors.py"], true);
    },
    TIMEOUT_MS,
  );
}

test(
  "TypeScript by pread answers every vector",
  () => {
    checkRunner([process.execPath, "clients/vectors/vectors.ts"], true);
  },
  TIMEOUT_MS,
);

test(
  "TypeScript mapped answers every vector",
  () => {
    checkRunner([process.execPath, "clients/vectors/vectors.ts", "--mapped"], true);
  },
  TIMEOUT_MS,
);

// With the sanitizers a read outside the ring ends the run, so the hostile vectors count double here.
for (const [compiler, flags] of [
  ["cc", ["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]],
  ["c++", ["-x", "c++", "-std=c++17", "-O2"]],
] as const) {
  test.skipIf(!Bun.which(compiler))(
    `C by ${compiler} answers every vector`,
    () => {
      const binary = join(build, `vectors-${compiler}`);
      run([compiler, ...flags, "-o", binary, "clients/c/vectors.c", "-pthread"]);
      checkRunner([binary], false);
    },
    TIMEOUT_MS,
  );
}

test.skipIf(!rust)(
  "Rust answers every vector",
  () => {
    checkRunner([rustProgram("vectors")], true);
  },
  TIMEOUT_MS,
);

test.skipIf(!go)(
  "Go answers every vector",
  () => {
    checkRunner([goProgram("programs/vectors")], true);
  },
  TIMEOUT_MS,
);

// One file for both: Bun is another engine under it.
for (const runtime of ["node", "bun"]) {
  test.skipIf(!Bun.which(runtime))(
    `the Node client under ${runtime} answers every vector`,
    () => {
      checkRunner([runtime, "clients/node/vectors.mjs"], true);
    },
    TIMEOUT_MS,
  );
}
