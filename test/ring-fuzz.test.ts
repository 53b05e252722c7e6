// Hostile rings: whatever stands in the header, in the slot headers or in the descriptor, a reader reads nothing outside,
// does not crash, does not hang, and throws nothing but its own error.
//
// To see it fail, take out a check: the end of this file does so itself with lines of clients/c/streamem.h. For TypeScript
// take out, in src/ring/segment.ts, `if (header.payloadBytes > …) return null;`, or in src/ring/layout.ts the line with
// "payload within the slot" or "slots within total_bytes".
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import layout from "../native/layout.json";
import { elementCount, itemSize } from "../src/ring/descriptor.ts";
import { RingError } from "../src/ring/ffi.ts";
import { LayoutError } from "../src/ring/layout.ts";
import { openSegment, type Segment } from "../src/ring/segment.ts";
import { type Frame, openReader, type RingReader } from "../src/ring.ts";
import {
  cleanUpAfterwards,
  compiler,
  finish,
  freshPrefix,
  type Mutation,
  program,
} from "./ring-programs.ts";

cleanUpAfterwards();

const SEED = 20_251;
const VARIATIONS = 10_000;
const TIMEOUT_MS = 300_000; // only so that a run that hangs is ended
const LONGEST_FILE = 1 << 20;

const vectors = join(import.meta.dir, "../clients/vectors");
const bases = readdirSync(vectors)
  .filter((name) => name.endsWith(".ring"))
  .map((name) => join(vectors, name))
  .filter((path) => JSON.parse(readFileSync(path.replace(/ring$/, "json"), "utf8")).open === "ok");

/** Chance that comes out the same for the same seed: mulberry32. */
class Dice {
  constructor(private state: number) {}
  any(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  below(n: number): number {
    return this.any() % n;
  }
  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  long(): bigint {
    return (BigInt(this.any()) << 32n) | BigInt(this.any());
  }
}

type Field = { name: string; offset: number; size: number };
const numbers = (fields: Field[]) => fields.filter((f) => [2, 4, 8].includes(f.size));
const headerNumbers = numbers(layout.segmentHeader);
const slotNumbers = [
  ...numbers(layout.slotHeader),
  ...Array.from({ length: 8 }, (_, i) => ({ name: `shape${i}`, offset: 80 + 4 * i, size: 4 })),
];
const values = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 65537],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 64, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53],
].map(BigInt);
values.push((1n << 63n) - 1n, 1n << 63n, (1n << 63n) + 1n, -4096n, -64n, -1n);
const jsonValues: unknown[] = [
  ...[null, true, -1, 0, 1, 0.5, 2 ** 40, 2 ** 53, 1e300, 1e-300, "", "x", "<f4", "|u1", ">u2"],
  ...["|V0", "<f0", "|S9999", "\ud800", {}, [], [[]], [1], [0], [-1], [2 ** 40], ["a"]],
  ...[new Array(8).fill(2 ** 32 - 1), [0, ...new Array(7).fill(2 ** 53 - 1)], [["x", "<f4", [3]]]],
  ...[[["x", "|u1", [2 ** 31, 2 ** 31]]], [["x", "|u1", [0]]], "/dev/null", "json", "msgpack"],
  ...[[{ name: "__proto__", dtype: "<u2", shape: [2 ** 40, 0], offset: 0 }], { name: "f" }],
  [{ name: "f", dtype: "|u1", shape: new Array(40).fill(2 ** 53 - 1), offset: 2 ** 53 - 1 }],
];
const members = ["dtype", "shape", "strides", "fields", "rate", "kind", "wake", "shm", "name"];

/** A ring as it will stand in the file, with zeros from its own length up to `fileBytes`. */
class Image {
  readonly bytes: Buffer;
  fileBytes: number;
  constructor(from: Uint8Array) {
    this.bytes = Buffer.from(from);
    this.fileBytes = from.byteLength;
  }
  header(name: string): bigint {
    return this.get(0, headerNumbers.find((field) => field.name === name) as Field);
  }
  setHeader(name: string, value: bigint): void {
    this.put(0, headerNumbers.find((field) => field.name === name) as Field, value);
  }
  get(at: number, { offset, size }: Field): bigint {
    if (at + offset + size > this.bytes.length) return 0n;
    const bytes = this.bytes.subarray(at + offset, at + offset + size);
    return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  }
  put(at: number, { offset, size }: Field, value: bigint): void {
    if (at + offset + size > this.bytes.length) return;
    for (let i = 0; i < size; i++) {
      this.bytes[at + offset + i] = Number((value >> BigInt(8 * i)) & 255n);
    }
  }
  /** Where the slot of a sequence begins; past the end where the header says nonsense. */
  slot(seq: bigint): number {
    const n = seq % (this.header("slot_count") || 1n);
    const at = this.header("slots_offset") + n * this.header("slot_stride");
    return at < BigInt(LONGEST_FILE) ? Number(at) : this.bytes.length;
  }
  store(path: string): void {
    writeFileSync(path, this.bytes.subarray(0, this.fileBytes), { flag: "r+" });
  }
}

function interesting(dice: Dice, image: Image, old: bigint): bigint {
  const step = BigInt(dice.one([-4096, -64, -8, -1, 0, 1, 8, 64, 4096]));
  return dice.one([
    () => dice.long(),
    () => old ^ (1n << BigInt(dice.below(64))),
    () => old + step,
    () => image.get(0, dice.one(headerNumbers)) + step,
    () => dice.one(values),
  ])();
}

/** A value at its limit or one past it: where a check is off by one, this finds it. */
function pushToLimit(dice: Dice, image: Image): void {
  const past = BigInt(dice.below(2));
  const h = (name: string) => image.header(name);
  const slots = h("total_bytes") - h("slots_offset");
  const limits: Record<string, () => bigint> = {
    payload_capacity: () => h("slot_stride") - h("payload_offset") + past,
    slot_stride: () => (slots / (h("slot_count") || 1n) / 64n) * 64n + 64n * past,
    slot_count: () => slots / (h("slot_stride") || 1n) + past,
    fields_capacity: () => h("payload_offset") - h("fields_offset") + past,
    payload_offset: () => h("slot_stride") - h("payload_capacity") + 64n * past,
    descriptor_bytes: () => h("slots_offset") - h("descriptor_offset") + past,
    slots_offset: () => h("total_bytes") - h("slot_stride") * h("slot_count") + 64n * past,
    total_bytes: () => BigInt(image.fileBytes) + past,
  };
  const name = dice.one(Object.keys(limits));
  image.setHeader(name, (limits[name] as () => bigint)());
}

function damageSlot(dice: Dice, image: Image): void {
  const at = image.slot(dice.below(2) ? image.header("latest") : dice.long());
  const named = (name: string) => slotNumbers.find((field) => field.name === name) as Field;
  const past = BigInt(dice.below(2));
  const kind = dice.below(6);
  const field = dice.one(slotNumbers);
  if (kind === 0) image.put(at, named("payload_bytes"), image.header("payload_capacity") + past);
  else if (kind === 1) image.put(at, named("fields_bytes"), image.header("fields_capacity") + past);
  else if (kind === 2) {
    image.put(at, named("dimensions"), BigInt(dice.below(10)));
    const room = image.get(at, named("payload_bytes")) + past;
    for (const dimension of slotNumbers.slice(-8)) {
      image.put(at, dimension, dice.one([1n, 1n, 0n, room, BigInt(dice.any())]));
    }
  } else image.put(at, field, interesting(dice, image, image.get(at, field)));
}

function damageDescriptor(dice: Dice, image: Image): void {
  const at = Number(image.header("descriptor_offset"));
  const room = Number(image.header("slots_offset")) - at;
  const old = image.bytes.subarray(at, at + Number(image.header("descriptor_bytes"))).toString();
  let text = old;
  try {
    const json = JSON.parse(old);
    json[dice.one(members)] = dice.one(jsonValues);
    if (dice.below(4) === 0) json.dtype = dice.one(["|u1", "<f8", "<u8", [["x", "<f4", [3]]]]);
    text = JSON.stringify(json);
  } catch {} // damaged before
  const bytes = Buffer.from(text);
  if (dice.below(3) === 0 && bytes.length) bytes[dice.below(bytes.length)] = dice.any();
  if (dice.below(20) === 0) bytes.fill("[");
  if (bytes.length > room || at + bytes.length > image.bytes.length) return;
  image.bytes.set(bytes, at);
  image.setHeader("descriptor_bytes", BigInt(bytes.length));
}

function damage(dice: Dice, image: Image): void {
  for (let n = 1 + dice.below(3); n > 0; n--) {
    const field = dice.one(headerNumbers);
    const other = dice.one(headerNumbers);
    dice.one([
      () => image.put(0, field, interesting(dice, image, image.get(0, field))),
      () => pushToLimit(dice, image),
      () => {
        const kept = image.get(0, field);
        image.put(0, field, image.get(0, other));
        image.put(0, other, kept);
      },
      () => image.setHeader("latest", interesting(dice, image, image.header("latest"))),
      () => damageSlot(dice, image),
      () => damageSlot(dice, image),
      () => damageDescriptor(dice, image),
      () => {
        for (let k = 1 + dice.below(20); k > 0; k--) {
          image.bytes[dice.below(image.bytes.length)] = dice.any();
        }
      },
    ])();
  }
  if (dice.below(2)) {
    const latest = image.header("latest"); // the newest slot says it is whole: the rest of it is looked at
    image.put(image.slot(latest), { name: "begin", offset: 0, size: 8 }, latest);
    image.put(image.slot(latest), { name: "end", offset: 8, size: 8 }, latest);
  }
}

/** The fewest bytes that the header asks for, or fewer, or more. */
function sizeFile(dice: Dice, image: Image): void {
  const total = image.header("total_bytes");
  if (dice.below(8) === 0) image.fileBytes = dice.below(image.bytes.length + 1);
  else if (dice.below(2) && total > image.bytes.length && total <= LONGEST_FILE) {
    image.fileBytes = Number(total);
  }
}

/** What an answer may be: a value, or an error of the ring's own, in words. */
function ask<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    accept(error);
    return undefined;
  }
}

function accept(error: unknown): void {
  const own = error instanceof RingError || error instanceof LayoutError;
  if (!own || error.message === "") throw error;
}

interface Tally {
  opened: number;
  refused: number;
  frames: number;
}

/** Runs `exercise` on each variation; it says whether the ring was opened. An error names seed and variation. */
async function fuzz(
  exercise: (dice: Dice, image: Image, path: string, tally: Tally) => Promise<boolean>,
): Promise<Tally> {
  const dice = new Dice(SEED);
  const images = bases.map((path) => readFileSync(path));
  const path = `/dev/shm/${freshPrefix()}.fuzz`;
  const tally = { opened: 0, refused: 0, frames: 0 };
  for (let n = 0; n < VARIATIONS; n++) {
    const image = new Image(images[n % images.length] as Buffer);
    damage(dice, image);
    sizeFile(dice, image);
    rmSync(path, { force: true }); // a file of its own: frames before may still be mapped
    writeFileSync(path, image.bytes.subarray(0, image.fileBytes));
    truncateSync(path, image.fileBytes);
    try {
      if (await exercise(dice, image, path, tally)) tally.opened++;
      else tally.refused++;
    } catch (error) {
      const where = `seed ${SEED}, variation ${n} of ${bases[n % bases.length]}`;
      throw new Error(`${where}: ${(error as Error).stack}`, { cause: error });
    }
    if (n % 256 === 0) Bun.gc(true); // closed readers' rings stay open while a frame is alive
    if (n % 64 === 0) await Bun.sleep(0);
  }
  expect(tally.opened).toBeGreaterThan(VARIATIONS / 5);
  expect(tally.refused).toBeGreaterThan(VARIATIONS / 5);
  expect(tally.frames).toBeGreaterThan(VARIATIONS / 2);
  return tally;
}

/** The same ring, changed once more while it is open, half of the times; never shorter unless `cut`. */
function changed(dice: Dice, image: Image, path: string, cut: boolean): Image {
  const now = new Image(image.bytes);
  now.fileBytes = image.fileBytes;
  if (dice.below(2)) return now;
  damage(dice, now);
  if (cut && dice.below(4) === 0) now.fileBytes = dice.below(now.fileBytes + 1);
  now.store(path);
  truncateSync(path, now.fileBytes);
  return now;
}

/** The own shape fits into the payload, whose bytes are the slot's. */
function checkSegmentFrame(segment: Segment, seq: bigint | undefined, opened: Image, now: Image) {
  const frame = segment.frame(seq);
  if (!frame) return 0;
  const { payload, payloadBytes, header } = frame;
  const items = elementCount(header.shape ?? [0]);
  const start = opened.slot(frame.seq) + Number(opened.header("payload_offset"));
  const wanted = new Uint8Array(payload.byteLength);
  wanted.set(now.bytes.subarray(start, start + payloadBytes));
  const whole =
    payload.byteLength === payloadBytes &&
    BigInt(payloadBytes) <= opened.header("payload_capacity") &&
    opened.header("payload_offset") + BigInt(payloadBytes) <= opened.header("slot_stride") &&
    items * itemSize(segment.descriptor.dtype) <= payloadBytes &&
    Buffer.compare(payload, wanted) === 0;
  if (!whole) throw new Error(`frame ${frame.seq} is not what lies in its slot`);
  JSON.stringify([frame.shape, frame.fields], (_, v) => (typeof v === "bigint" ? `${v}` : v));
  return 1;
}

function checkFrame(frame: Frame, image: Image): void {
  const { data, array } = frame;
  if (BigInt(data.byteLength) > image.header("payload_capacity")) throw new Error("too many bytes");
  let sum = 0;
  for (const byte of data) sum += byte;
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (const byte of bytes) sum -= byte;
  if (array.byteLength > data.byteLength || (array.byteLength === data.byteLength && sum !== 0)) {
    throw new Error("array and data are not the same bytes");
  }
  const copy = ask(() => frame.copy());
  if (copy && Buffer.compare(copy, data) !== 0) throw new Error("a copy of other bytes");
  ask(() => frame.copy(new Uint8Array(Math.max(0, data.byteLength - 1))));
  frame.valid();
  JSON.stringify([frame.shape, frame.fields, frame.length, frame.dtype], (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

async function exerciseReader(reader: RingReader, dice: Dice, image: Image): Promise<number> {
  let frames = 0;
  const look = (frame: Frame | null | undefined) => {
    if (!frame) return;
    checkFrame(frame, image);
    frames++;
  };
  const verbs = [
    () => look(reader.latest()),
    async () => look(await reader.newest({ timeoutMs: 0 })),
    async () => look(await reader.next({ timeoutMs: 0 })),
    () => reader.last(1 + dice.below(9)).forEach(look),
    () => look(reader.nearest(dice.below(2) ? BigInt(dice.below(100)) : dice.long())),
    () => reader.stack(1 + dice.below(9)).data.reduce((sum, byte) => sum + byte, 0),
    () => JSON.stringify(reader.descriptor),
    () => expect(["live", "stalled", "dead", "retired"]).toContain(reader.state),
    () => reader.missed,
  ];
  for (const verb of verbs) {
    try {
      await verb();
    } catch (error) {
      accept(error);
    }
  }
  return frames;
}

test(
  `TypeScript by pread, ${VARIATIONS} hostile rings`,
  async () => {
    await fuzz(async (dice, image, path, tally) => {
      const segment = ask(() => openSegment(path));
      if (!segment) return false;
      let now = image;
      for (let round = 0; round < 2; round++) {
        for (const seq of [
          undefined,
          image.header("latest") - 1n,
          BigInt(dice.below(9)),
          dice.long(),
        ]) {
          ask(() => segment.head(seq));
          tally.frames += ask(() => checkSegmentFrame(segment, seq, image, now)) ?? 0;
        }
        ask(() => segment.hot());
        ask(() => segment.state());
        ask(() => segment.ageNs());
        segment.unlinked();
        now = changed(dice, image, path, true);
      }
      segment.close();
      return true;
    });
  },
  TIMEOUT_MS,
);

test(
  `TypeScript mapped, ${VARIATIONS} hostile rings`,
  async () => {
    await fuzz(async (dice, image, path, tally) => {
      let reader: RingReader;
      try {
        reader = await openReader(path);
      } catch (error) {
        accept(error);
        return false;
      }
      try {
        tally.frames += await exerciseReader(reader, dice, image);
        changed(dice, image, path, false);
        tally.frames += await exerciseReader(reader, dice, image);
      } finally {
        reader.close();
      }
      return true;
    });
  },
  TIMEOUT_MS,
);

test("a sparse file of 5 TiB is refused in words where it is too large, and never read as a whole", async () => {
  const base = bases.find((path) => path.endsWith("/one.ring")) as string;
  const image = new Image(readFileSync(base));
  const total = 5n << 40n;
  const room = total - image.header("slots_offset");
  image.setHeader("total_bytes", total);
  image.setHeader("slot_stride", (room / image.header("slot_count") / 4096n) * 4096n);
  image.setHeader("payload_capacity", 1n << 40n);
  const path = `/dev/shm/${freshPrefix()}.sparse`;
  writeFileSync(path, image.bytes);
  truncateSync(path, Number(total));
  const slot = Buffer.alloc(128);
  slot.writeBigUInt64LE(4n, 0); // the first slot of four
  slot.writeBigUInt64LE(4n, 8);
  slot.writeBigUInt64LE(1n << 40n, 56);
  image.setHeader("latest", 4n);
  const first = Number(image.header("slots_offset"));
  slot.copy(image.bytes, first);
  image.store(path);
  const segment = openSegment(path);
  expect(segment.head()?.payloadBytes).toBe(2 ** 40);
  expect(() => segment.frame()).toThrow(LayoutError);
  segment.close();
  const dice = new Dice(SEED);
  const reader = await openReader(path).catch(accept); // there may be no room to map it
  if (reader) await exerciseReader(reader, dice, image);
  if (reader) expect(() => reader.latest()).toThrow(RingError);
  reader?.close();
});

/** Runs native/test/fuzz.c, which says more about itself. */
async function inC(mutation?: Mutation) {
  const sanitizers = "-fsanitize=address,undefined,float-cast-overflow";
  const binary = program("fuzz", ["-g", sanitizers, "-fno-sanitize-recover=all"], mutation);
  const path = `/dev/shm/${freshPrefix()}.fuzz`;
  return finish([binary, `${SEED}`, `${VARIATIONS}`, path, ...bases], { UBSAN_OPTIONS: "" });
}

describe.skipIf(!compiler)("C under AddressSanitizer and UBSan", () => {
  test(
    `${VARIATIONS} hostile rings`,
    async () => {
      const { ended, stderr, stdout } = await inC();
      expect(stderr.slice(-6000)).toBe("");
      expect(ended).toBe("exit 0");
      const tally = JSON.parse(stdout) as Tally;
      expect(tally.opened).toBeGreaterThan(VARIATIONS / 5);
      expect(tally.refused).toBeGreaterThan(VARIATIONS / 5);
      expect(tally.frames).toBeGreaterThan(VARIATIONS);
    },
    TIMEOUT_MS,
  );

  const needDescriptor =
    "  STREAMEM__NEED((uint64_t)h->descriptor_offset + h->descriptor_bytes <= h->slots_offset);\n";
  const mutants: [string, Mutation][] = [
    ["the end of the descriptor", { line: needDescriptor }],
    [
      "the sizes in a slot header",
      {
        line: "  if (copy.payload_bytes > ring->payload_capacity || copy.fields_bytes > ring->fields_capacity) return 0;\n",
      },
    ],
  ];
  test.each(mutants)(
    "can fail: without the check of %s",
    async (_, mutation) => {
      const { ended, stderr } = await inC(mutation);
      expect(ended).toBe("exit 1");
      expect(stderr).toContain(`seed ${SEED}, variation `);
    },
    TIMEOUT_MS,
  );
});
