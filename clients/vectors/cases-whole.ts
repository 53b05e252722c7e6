// Rings that open and whose newest frame is whole.
import { type Case, frames, readable } from "./case.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

const whole: Case[] = [
  readable("empty", "no frame yet", {}, { latest: null, last: { 3: [] } }, (ring) => ring),
  readable("one", "one frame", {}, { latest: { seq: 1n }, last: { 1: [1n], 3: [1n] } }, (ring) =>
    ring.publish({ seq: 1n }),
  ),
  readable(
    "wrapped",
    "six frames through four slots; only the newest slots - 1 count as readable",
    {},
    { latest: { seq: 6n }, last: { 1: [6n], 2: [5n, 6n], 3: [4n, 5n, 6n] } },
    (ring) => ring.publish(...frames(1n, 6n)),
  ),
  readable(
    "five-slots",
    "a slot count that is no power of two: slot = sequence modulo slot_count",
    { slotCount: 5 },
    { latest: { seq: 13n }, last: { 1: [13n], 3: [11n, 12n, 13n] } },
    (ring) => ring.publish(...frames(1n, 13n)),
  ),
  readable(
    "page-aligned",
    "as a writer of pictures lays it out: slots and payloads start at pages",
    {
      payloadCapacity: 4096,
      fieldsCapacity: 3968,
      slotsAlignment: 4096,
      descriptor: { shape: [64, 64] },
    },
    { latest: { seq: 2n, payloadBytes: 128, shape: [2, 64] }, last: { 3: [1n, 2n] } },
    (ring) => ring.publish(...frames(1n, 2n, { payloadBytes: 128, shape: [2, 64] })),
  ),
  readable(
    "large-sequence",
    "sequences beyond 2^53, where a double no longer tells neighbours apart",
    {},
    {
      latest: { seq: (1n << 53n) + 1n },
      last: { 3: [(1n << 53n) - 1n, 1n << 53n, (1n << 53n) + 1n] },
    },
    (ring) => ring.publish(...frames((1n << 53n) - 1n, (1n << 53n) + 1n)),
  ),
  readable(
    "times-unknown",
    "device time, capture time and its error are all ones: unknown",
    {},
    { latest: { seq: 2n, timesUnknown: true }, last: { 3: [1n, 2n] } },
    (ring) => ring.publish({ seq: 1n }, { seq: 2n, timesUnknown: true }),
  ),
  readable(
    "clock-epoch",
    "the device's clock was reset between two frames",
    {},
    { latest: { seq: 2n, clockEpoch: 4_000_000_000 }, last: { 3: [1n, 2n] } },
    (ring) => ring.publish({ seq: 1n }, { seq: 2n, clockEpoch: 4_000_000_000 }),
  ),
  readable(
    "retired",
    "the generation has ended; what is in the ring can still be read",
    {},
    { latest: { seq: 3n }, last: { 3: [1n, 2n, 3n] }, retired: true },
    (ring) => ring.publish(...frames(1n, 3n)).header({ flags: 1 }),
  ),
  readable(
    "retired-empty",
    "ended before its first frame",
    {},
    { latest: null, last: { 3: [] }, retired: true },
    (ring) => ring.header({ flags: 1 }),
  ),
];

const shapes: Case[] = [
  readable(
    "own-shape",
    "the frame states its own shape and is smaller than the slot",
    {},
    {
      latest: { seq: 2n, payloadBytes: 24, fieldsBytes: 8, shape: [2, 3, 4] },
      last: { 3: [1n, 2n] },
    },
    (ring) =>
      ring.publish({ seq: 1n }, { seq: 2n, payloadBytes: 24, fieldsBytes: 8, shape: [2, 3, 4] }),
  ),
  readable(
    "own-shape-of-8",
    "as many dimensions as there can be",
    {},
    {
      latest: { seq: 1n, payloadBytes: 64, shape: [2, 1, 2, 1, 2, 2, 2, 2] },
      last: { 3: [1n] },
    },
    (ring) => ring.publish({ seq: 1n, payloadBytes: 64, shape: [2, 1, 2, 1, 2, 2, 2, 2] }),
  ),
  readable(
    "own-shape-of-0-items",
    "a frame with nothing in it is a frame: no detections in this picture",
    {},
    { latest: { seq: 1n, payloadBytes: 0, fieldsBytes: 0, shape: [0, 4] }, last: { 3: [1n] } },
    (ring) => ring.publish({ seq: 1n, payloadBytes: 0, fieldsBytes: 0, shape: [0, 4] }),
  ),
  readable(
    "own-shape-of-0-items-last",
    "the 0 stands last: the product is 0 whatever comes before it",
    {},
    { latest: { seq: 1n, payloadBytes: 0, fieldsBytes: 0, shape: [640, 0] }, last: { 3: [1n] } },
    (ring) => ring.publish({ seq: 1n, payloadBytes: 0, fieldsBytes: 0, shape: [640, 0] }),
  ),
  readable(
    "float-items",
    "items of four bytes",
    { descriptor: { dtype: "<f4", shape: [4, 4], units: "m" } },
    { latest: { seq: 2n, payloadBytes: 32, shape: [2, 4] }, last: { 3: [1n, 2n] } },
    (ring) => ring.publish({ seq: 1n }, { seq: 2n, payloadBytes: 32, shape: [2, 4] }),
  ),
  readable(
    "record-items",
    "a dtype of named members, as NumPy's descr",
    {
      descriptor: {
        dtype: [
          ["t", "<u8"],
          ["xyz", "<f4", [3]],
        ],
        shape: [3],
        dims: ["sample"],
      },
    },
    { latest: { seq: 1n, payloadBytes: 40, shape: [2] }, last: { 3: [1n] } },
    (ring) => ring.publish({ seq: 1n, payloadBytes: 40, shape: [2] }),
  ),
  readable(
    "message",
    "a message stream: every frame states its length as its shape",
    {
      descriptor: {
        kind: "message",
        encoding: "json",
        shape: [64],
        dims: ["byte"],
        rate: undefined,
      },
    },
    { latest: { seq: 9n, payloadBytes: 9, fieldsBytes: 0, shape: [9] }, last: { 3: [7n, 8n, 9n] } },
    (ring) => {
      for (let n = 1; n <= 9; n++)
        ring.publish({ seq: BigInt(n), payloadBytes: n, fieldsBytes: 0, shape: [n] });
      return ring;
    },
  ),
  readable(
    "shorter-than-the-descriptor",
    "fewer bytes than the descriptor's shape needs and no shape of its own: whole, only not an array",
    {},
    { latest: { seq: 1n, payloadBytes: 10 }, last: { 3: [1n] } },
    (ring) => ring.publish({ seq: 1n, payloadBytes: 10 }),
  ),
  readable(
    "no-fields",
    "no metadata area at all",
    { fieldsCapacity: 0, descriptor: { fields: [] } },
    { latest: { seq: 5n }, last: { 3: [3n, 4n, 5n] } },
    (ring) => ring.publish(...frames(1n, 5n)),
  ),
];

const growth: Case[] = [
  readable(
    "newer-minor",
    "version 1.7: both headers have grown, words reserved today are used, bits of flags and a way to wake are new",
    {
      headerBytes: 384,
      slotHeaderBytes: 192,
      descriptor: { flavour: { of: ["a", "later", "version"] } },
    },
    { latest: { seq: 6n }, last: { 3: [4n, 5n, 6n] } },
    (ring) => {
      ring.header({
        minor: 7,
        reserved_100: 0xffff_ffff,
        reserved_112: U64_MAX,
        flags: 0xffff_fffe,
      });
      ring.header({ reserved_144: U64_MAX, wake_mode: 2 });
      for (const frame of frames(1n, 6n))
        ring.publish(frame).slot(frame.seq, { reserved_76: 0xffff_ffff, reserved_112: U64_MAX });
      return ring;
    },
  ),
  readable(
    "longer-file",
    "bytes after total_bytes belong to nobody",
    {},
    { latest: { seq: 2n }, last: { 3: [1n, 2n] } },
    (ring) => {
      ring.publish(...frames(1n, 2n)).bytes = Buffer.concat([ring.bytes, Buffer.alloc(100, 0xff)]);
      return ring;
    },
  ),
  readable(
    "unicode-descriptor",
    "the descriptor is UTF-8",
    { descriptor: { units: "µT", source: { kind: "vectors", address: "Größe 眼 🎥" } } },
    { latest: { seq: 1n }, last: { 3: [1n] } },
    (ring) => ring.publish({ seq: 1n }),
  ),
];

export const wholeCases = [...whole, ...shapes, ...growth];
