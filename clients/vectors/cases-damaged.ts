// Rings that open but hold frames that are not, or not quite, there.
import { type Case, damaged, frames, readable } from "./case.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

const caught: Case[] = [
  damaged("lapped", "the writer has begun the next lap in the newest frame's slot", (ring) =>
    ring.slot(6n, { begin: 10n }).fill({ seq: 10n }),
  ),
  damaged("lapped-whole", "the newest frame's slot holds a whole frame of a later lap", (ring) =>
    ring.publish({ seq: 10n }).header({ latest: 6n, wake: 6n }),
  ),
  damaged("torn", "begin is new, end is of the lap before", (ring) => ring.slot(6n, { end: 2n })),
  damaged("torn-end", "end is new, begin is of the lap before", (ring) =>
    ring.slot(6n, { begin: 2n }),
  ),
  damaged("newest-slot-zero", "begin and end of the newest frame's slot are 0", (ring) =>
    ring.slot(6n, { begin: 0, end: 0 }),
  ),
  readable(
    "hole",
    "an older frame is damaged: last(n) leaves it out",
    {},
    { latest: { seq: 6n }, last: { 1: [6n], 3: [4n, 6n] } },
    (ring) => ring.publish(...frames(1n, 6n)).slot(5n, { begin: 9n }),
  ),
  readable(
    "killed-in-mid-write",
    "the writer died while it filled the slot after the newest",
    {},
    { latest: { seq: 6n }, last: { 3: [4n, 5n, 6n] } },
    (ring) =>
      ring
        .publish(...frames(1n, 6n))
        .slot(7n, { begin: 7n })
        .fill({ seq: 7n }),
  ),
  readable(
    "killed-before-latest",
    "the writer died after it ended a frame and before it said so: that frame was never published",
    {},
    { latest: { seq: 6n }, last: { 3: [4n, 5n, 6n] } },
    (ring) => ring.publish(...frames(1n, 7n)).header({ latest: 6n, wake: 6n }),
  ),
  readable(
    "killed-in-the-first",
    "the writer died in its first frame",
    {},
    { latest: null, last: { 3: [] } },
    (ring) => ring.slot(1n, { begin: 1n }).fill({ seq: 1n }),
  ),
  readable(
    "zero-slots",
    "latest is 3 but every slot is zero: 0 is no sequence, and begin = end = 0 no frame",
    {},
    { latest: null, last: { 3: [] } },
    (ring) => ring.header({ latest: 3n, wake: 3n }),
  ),
  readable(
    "zero-slots-at-4",
    "as zero-slots, with latest in slot 0",
    {},
    { latest: null, last: { 3: [] } },
    (ring) => ring.header({ latest: 4n, wake: 4n }),
  ),
  readable(
    "latest-all-ones",
    "latest is the largest number there is; no slot holds it",
    {},
    { latest: null, last: { 3: [] } },
    (ring) => ring.publish(...frames(1n, 6n)).header({ latest: U64_MAX }),
  ),
];

const hostileSlots: Case[] = [
  damaged("payload-over-capacity", "payload_bytes is one more than payload_capacity", (ring) =>
    ring.slot(6n, { payload_bytes: 65 }),
  ),
  damaged("payload-all-ones", "payload_bytes is 2^64 - 1", (ring) =>
    ring.slot(6n, { payload_bytes: U64_MAX }),
  ),
  damaged("payload-over-32-bits", "payload_bytes is right in its low 32 bits only", (ring) =>
    ring.slot(6n, { payload_bytes: (1n << 32n) + 64n }),
  ),
  damaged("fields-over-capacity", "fields_bytes is one more than fields_capacity", (ring) =>
    ring.slot(6n, { fields_bytes: 17 }),
  ),
  damaged("fields-all-ones", "fields_bytes is 2^32 - 1", (ring) =>
    ring.slot(6n, { fields_bytes: 0xffff_ffff }),
  ),
  damaged("dimensions-9", "one dimension more than there is room for", (ring) =>
    ring.slot(6n, { dimensions: 9 }).shape(6n, [1, 1, 1, 1, 1, 1, 1, 1]),
  ),
  damaged("dimensions-all-ones", "dimensions is 2^32 - 1", (ring) =>
    ring.slot(6n, { dimensions: 0xffff_ffff }),
  ),
  damaged("shape-over-payload", "the shape needs one row more than the payload has", (ring) =>
    ring.slot(6n, { dimensions: 2 }).shape(6n, [5, 16]),
  ),
  damaged("shape-overflows-32-bits", "65536 x 65536 items are 0 in 32 bits", (ring) =>
    ring.slot(6n, { dimensions: 2 }).shape(6n, [65_536, 65_536]),
  ),
  damaged("shape-overflows-64-bits", "65536 to the fourth items are 0 in 64 bits", (ring) =>
    ring.slot(6n, { dimensions: 4 }).shape(6n, [65_536, 65_536, 65_536, 65_536]),
  ),
  damaged("shape-all-ones", "eight dimensions of 2^32 - 1", (ring) =>
    ring.slot(6n, { dimensions: 8 }).shape(6n, new Array(8).fill(0xffff_ffff)),
  ),
  readable(
    "shape-over-payload-in-bytes",
    "17 items fit 64 bytes if each is one byte; here each is four",
    { descriptor: { dtype: "<f4", shape: [4, 4] } },
    { latest: null, last: { 3: [1n] } },
    (ring) =>
      ring
        .publish(...frames(1n, 2n))
        .slot(2n, { dimensions: 1 })
        .shape(2n, [17]),
  ),
];

export const damagedCases = [...caught, ...hostileSlots];
