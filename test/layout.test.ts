// native/layout.json is the source of truth. Here the specification for people and the offsets that each
// language computes for itself are held against it.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import layout from "../native/layout.json";
import { offsets } from "../src/ring/layout.ts";
import { go, goProgram } from "./go-programs.ts";
import { rust, rustProgram } from "./rust-programs.ts";

interface Field {
  name: string;
  offset: number;
  size: number;
  type: string;
  meaning: string;
}

const root = join(import.meta.dir, "..");
const build = mkdtempSync(join(tmpdir(), "streamem-layout-"));
afterAll(() => rmSync(build, { recursive: true, force: true }));

const tables = { segmentHeader: layout.segmentHeader, slotHeader: layout.slotHeader };
const wanted = {
  segmentHeader: offsetsOf(layout.segmentHeader),
  slotHeader: offsetsOf(layout.slotHeader),
};

function offsetsOf(fields: Field[]): Record<string, number> {
  return Object.fromEntries(fields.map(({ name, offset }) => [name, offset]));
}

function output(command: string[]): string {
  const done = Bun.spawnSync(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
  expect(done.stderr.toString() + done.exitCode).toBe("0");
  return done.stdout.toString();
}

/** The rows of the first table under a heading of LAYOUT.md, a string a cell. */
function rowsUnder(heading: string): string[][] {
  const page = readFileSync(join(root, "native/LAYOUT.md"), "utf8");
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

describe("layout.json is sound:", () => {
  test.each([
    ["segmentHeader", layout.constants.header_bytes.value],
    ["slotHeader", layout.constants.slot_header_bytes.value],
  ] as const)("%s has no gaps, natural alignment, and ends where it says", (table, bytes) => {
    let end = 0;
    for (const { name, offset, size, type } of tables[table]) {
      const [, bits, count] = /^u(8|16|32|64)(?:\[(\d+)\])?$/.exec(type) ?? [];
      const item = Number(bits) / 8;
      expect({ name, offset, size }).toEqual({
        name,
        offset: end,
        size: item * Number(count ?? 1),
      });
      expect(offset % item).toBe(0);
      end = offset + size;
    }
    expect(end).toBe(bytes);
  });
});

describe("LAYOUT.md says the same:", () => {
  test.each([
    ["Segment header", "segmentHeader"],
    ["Slot header", "slotHeader"],
  ] as const)("%s", (heading, table) => {
    const rows = tables[table].map((f) => [`${f.offset}`, `${f.size}`, f.type, f.name, f.meaning]);
    expect(rowsUnder(heading)).toEqual(rows);
  });

  test("Constants", () => {
    const rows = Object.entries(layout.constants).map(([n, c]) => [n, `${c.value}`, c.meaning]);
    expect(rowsUnder("Constants")).toEqual(rows);
  });
});

describe("offsets as computed by", () => {
  test("TypeScript", () => {
    expect(offsets).toEqual(wanted);
  });

  const interpreters = ["python3", "pypy3"].filter((name) => Bun.which(name));
  test.each(interpreters)("%s", (interpreter) => {
    expect(JSON.parse(output([interpreter, "clients/python/streamem.py", "--layout"]))).toEqual(
      wanted,
    );
  });

  test.skipIf(!rust)("Rust", () => {
    expect(JSON.parse(output([rustProgram("offsets")]))).toEqual(wanted);
  });

  test.skipIf(!go)("Go", () => {
    expect(JSON.parse(output([goProgram("programs/layout")]))).toEqual(wanted);
  });

  test.skipIf(!Bun.which("node"))("Node", () => {
    const words =
      'import("./clients/node/streamem.mjs").then((m) => console.log(JSON.stringify(m.offsets)))';
    expect(JSON.parse(output(["node", "-e", words]))).toEqual(wanted);
  });

  test.skipIf(!Bun.which("cc"))("C, with sizes and constants", () => {
    const source = join(build, "offsets.c");
    writeFileSync(source, offsetsProgram());
    output(["cc", "-I", "clients/c", "-o", join(build, "offsets"), source, "-pthread"]);
    const sizes = (fields: Field[]) =>
      Object.fromEntries(fields.map(({ name, offset, size }) => [name, [offset, size]]));
    const constants = Object.keys(constantsInC).map((name) => [
      name,
      `${layout.constants[name as keyof typeof layout.constants].value}`,
    ]);
    expect(JSON.parse(output([join(build, "offsets")]))).toEqual({
      magic: layout.magic,
      major: layout.major,
      minor: layout.minor,
      segmentHeader: sizes(layout.segmentHeader),
      slotHeader: sizes(layout.slotHeader),
      constants: Object.fromEntries(constants),
    });
  });
});

/** What streamem.h calls the constants of layout.json, or how it says them. */
const constantsInC = {
  header_bytes: "sizeof(streamem_segment_header)",
  slot_header_bytes: "sizeof(streamem_slot_header)",
  slot_count_min: "STREAMEM_SLOTS_MIN",
  slot_count_max: "STREAMEM_SLOTS_MAX",
  descriptor_bytes_max: "STREAMEM_DESCRIPTOR_BYTES_MAX",
  fields_bytes_max: "STREAMEM_FIELDS_BYTES_MAX",
  dimensions_max: "STREAMEM_DIMENSIONS_MAX",
  alignment: "STREAMEM_ALIGNMENT",
  page_bytes: "STREAMEM_PAGE_BYTES",
  flag_retired: "STREAMEM_FLAG_RETIRED",
  wake_none: "STREAMEM_WAKE_NONE",
  wake_futex: "STREAMEM_WAKE_FUTEX",
  poll_interval_ms: "STREAMEM_POLL_INTERVAL_NS / 1000000",
  wait_slice_ms: "STREAMEM_WAIT_SLICE_NS / 1000000",
  read_retries_max: "STREAMEM_RETRIES_MAX",
  unknown: "STREAMEM_UNKNOWN",
};

/** A C program that prints its offsets and sizes as JSON; the names are layout.json's, the numbers the compiler's. */
function offsetsProgram(): string {
  const list = (struct: string, fields: Field[]) =>
    fields
      .map(
        ({ name }, i) =>
          `printf("${i ? "," : ""}\\"${name}\\":[%zu,%zu]", offsetof(${struct}, ${name}), sizeof(((${struct} *)0)->${name}));`,
      )
      .join("\n");
  const constants = Object.entries(constantsInC)
    .map(
      ([name, value], i) =>
        `printf("${i ? "," : ""}\\"${name}\\":\\"%llu\\"", (unsigned long long)(${value}));`,
    )
    .join("\n");
  return `#include "streamem.h"
int main(void) {
printf("{\\"magic\\":\\"%s\\",\\"major\\":%d,\\"minor\\":%d,\\"segmentHeader\\":{", STREAMEM_MAGIC, STREAMEM_MAJOR, STREAMEM_MINOR);
${list("streamem_segment_header", layout.segmentHeader)}
printf("},\\"slotHeader\\":{");
${list("streamem_slot_header", layout.slotHeader)}
printf("},\\"constants\\":{");
${constants}
printf("}}");
return 0;
}
`;
}
