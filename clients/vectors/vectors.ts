// The TypeScript runner (README.md says what it prints): the reader by pread that the hub uses, or with --mapped
// the one that programs use.
import { basename, resolve } from "node:path";
import { openSegment } from "../../src/ring/segment.ts";
import { openReader } from "../../src/ring.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function bySegment(path: string) {
  const segment = openSegment(path);
  const { descriptor, generation } = segment;
  const { retired, latest: newest } = segment.hot();
  const frame = segment.frame();
  const { header, seq, shape, fields: fieldValues, refersTo } = frame ?? {};
  const numbers = { ...header, seq, shape, fieldValues, refersTo };
  const latest = frame && { ...numbers, payload: hex(frame.payload) };
  const last = [1, 2, 3].map((n) => {
    const window = Array.from({ length: n }, (_, i) => newest - BigInt(n - 1 - i));
    return window.filter((sequence) => segment.frame(sequence) !== null);
  });
  segment.close();
  return { generation, retired, descriptor, latest, last };
}

async function byMapping(path: string) {
  const reader = await openReader(path);
  const { descriptor, state } = reader;
  const frame = reader.latest();
  const { seq, shape, deviceTime, captureTimeNs, timeErrorNs, clockEpoch } = frame ?? {};
  const { publishTimeNs, publishUtcNs, fields: fieldValues, refersTo } = frame ?? {};
  const times = { deviceTime, captureTimeNs, timeErrorNs, clockEpoch, publishTimeNs, publishUtcNs };
  const numbers = { seq, shape, ...times, fieldValues, refersTo };
  const latest = frame && { ...numbers, payload: hex(frame.copy()) };
  const last = [1, 2, 3].map((n) => reader.last(n).map((one) => one.seq));
  const { generation } = frame ?? descriptor.shm;
  reader.close();
  return { generation, retired: state === "retired", descriptor, latest, last };
}

const mapped = process.argv[2] === "--mapped";
for (const path of process.argv.slice(mapped ? 3 : 2)) {
  let answer: object;
  try {
    const { last, ...rest } = await (mapped ? byMapping : bySegment)(resolve(path));
    answer = { open: "ok", ...rest, last: { 1: last[0], 2: last[1], 3: last[2] } };
  } catch (error) {
    answer = { open: "error", error: (error as Error).message };
  }
  const text = (_: string, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value;
  console.log(JSON.stringify({ file: basename(path), ...answer }, text));
}
