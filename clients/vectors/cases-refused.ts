// Files that a reader must not open.
import type { Ring } from "./build.ts";
import { badHeader, type Case, refused } from "./case.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Adds 64 bytes to the file, so that the rule broken is not that the slots end too late. */
function withRoom(ring: Ring, values: Record<string, number>): Ring {
  ring.bytes = Buffer.concat([ring.bytes, Buffer.alloc(64)]);
  return ring.header({ total_bytes: ring.bytes.length, ...values });
}

const notRings: Case[] = [
  refused("no-bytes", "an empty file", ["truncated"], (ring) => ring.cut(0)),
  refused("cut-in-magic", "four bytes", ["truncated"], (ring) => ring.cut(4)),
  refused("cut-in-header", "100 bytes", ["truncated"], (ring) => ring.cut(100)),
  refused("cut-after-header", "256 bytes", ["truncated"], (ring) => ring.cut(256)),
  refused("cut-in-descriptor", "300 bytes", ["truncated"], (ring) => ring.cut(300)),
  refused("cut-in-slots", "half of the slots are missing", ["truncated"], (ring) =>
    ring.cut(ring.bytes.length - 512),
  ),
  refused("cut-by-one-byte", "the last byte is missing", ["truncated"], (ring) =>
    ring.cut(ring.bytes.length - 1),
  ),
  refused("bad-magic", "begins with STREAMEN", ["magic", "STREAMEM"], (ring) => {
    ring.bytes.write("STREAMEN", 0, "latin1");
    return ring;
  }),
  refused(
    "no-magic",
    "as a writer leaves it before its last step",
    ["magic", "STREAMEM"],
    (ring) => {
      ring.bytes.fill(0, 0, 8);
      return ring;
    },
  ),
  badHeader("newer-major", "version 2.0", { major: 2 }),
  badHeader("older-major", "version 0.9, which never was", { major: 0, minor: 9 }),
  refused("descriptor-not-json", "the descriptor is not JSON", ["descriptor"], (ring) => ring, {
    descriptorBytes: Buffer.from('{"name": "descriptor-not-json", '),
  }),
  refused(
    "descriptor-not-an-object",
    "the descriptor is JSON but no object",
    ["descriptor"],
    (ring) => ring,
    {
      descriptorBytes: Buffer.from("[1, 2, 3]"),
    },
  ),
  refused("descriptor-not-utf8", "the descriptor is not UTF-8", ["descriptor"], (ring) => ring, {
    descriptorBytes: Buffer.from('{"name": "descriptor-not-utf8", "units": "\xb5T"}', "latin1"),
  }),
  refused("descriptor-empty", "the descriptor has no bytes", ["descriptor"], (ring) => ring, {
    descriptorBytes: Buffer.alloc(0),
  }),
];

const hostileHeaders: Case[] = [
  badHeader("header-bytes-small", "header_bytes is less than 256", { header_bytes: 255 }),
  badHeader(
    "header-bytes-large",
    "header_bytes reaches over the descriptor",
    { header_bytes: 320 },
    ["descriptor_offset"],
  ),
  badHeader("total-bytes-all-ones", "total_bytes is 2^64 - 1", { total_bytes: U64_MAX }, [
    "truncated",
  ]),
  badHeader("total-bytes-small", "total_bytes ends within the slots", { total_bytes: 1600 }, [
    "slot",
  ]),
  badHeader("total-bytes-0", "total_bytes is 0", { total_bytes: 0 }, ["slot"]),
  badHeader("slots-offset-all-ones", "slots_offset is 2^64 - 64", { slots_offset: U64_MAX - 63n }),
  badHeader(
    "slots-offset-late",
    "the last slot ends 64 bytes after the file",
    { slots_offset: 1024 },
    ["total_bytes"],
  ),
  badHeader("slots-offset-in-descriptor", "slot 0 lies over the descriptor", { slots_offset: 512 }),
  badHeader("slots-offset-0", "slot 0 lies over the header", { slots_offset: 0 }),
  refused("slots-offset-odd", "slots_offset is no multiple of 64", ["slot"], (ring) =>
    withRoom(ring, { slots_offset: 840 }),
  ),
  badHeader("slot-stride-0", "all slots in one place", { slot_stride: 0 }),
  badHeader("slot-stride-small", "payload_offset + payload_capacity > slot_stride", {
    slot_stride: 192,
  }),
  refused("slot-stride-odd", "slot_stride is no multiple of 64", ["slot"], (ring) =>
    withRoom(ring, { slot_stride: 260 }),
  ),
  badHeader("slot-stride-large", "the last slot ends after the file", { slot_stride: 320 }, [
    "total_bytes",
  ]),
  badHeader("slot-stride-overflows", "4 x 2^62 is 0 in 64 bits", { slot_stride: 1n << 62n }, [
    "total_bytes",
  ]),
  badHeader("payload-capacity-large", "the payload reaches into the next slot", {
    payload_capacity: 65,
  }),
  badHeader("payload-capacity-overflows", "payload_offset + payload_capacity is 128 in 64 bits", {
    payload_capacity: U64_MAX - 63n,
  }),
  badHeader("slot-count-3", "one slot fewer than the least", { slot_count: 3 }),
  badHeader("slot-count-0", "no slots: sequence modulo 0", { slot_count: 0 }),
  badHeader("slot-count-65537", "one slot more than the most", { slot_count: 65_537 }),
  badHeader("slot-count-all-ones", "slot_count is 2^32 - 1", { slot_count: 0xffff_ffff }),
  badHeader("slot-count-large", "more slots than the file has room for", { slot_count: 5 }, [
    "total_bytes",
  ]),
  badHeader("slot-header-small", "slot_header_bytes is less than 128", { slot_header_bytes: 64 }),
  badHeader(
    "slot-header-large",
    "the slot header reaches over the metadata",
    { slot_header_bytes: 136 },
    ["fields_offset"],
  ),
  badHeader("fields-offset-in-header", "the metadata lies in the slot header", {
    fields_offset: 64,
  }),
  badHeader("fields-offset-late", "the metadata reaches into the payload", { fields_offset: 184 }, [
    "payload_offset",
  ]),
  badHeader("fields-offset-odd", "fields_offset is no multiple of 8", { fields_offset: 129 }),
  badHeader("fields-offset-overflows", "fields_offset + fields_capacity is 8 in 32 bits", {
    fields_offset: 0xffff_fff8,
  }),
  badHeader(
    "fields-capacity-large",
    "the metadata reaches into the payload",
    { fields_capacity: 65 },
    ["fields_offset", "payload_offset"],
  ),
  badHeader("fields-capacity-65544", "a metadata area larger than the largest", {
    fields_capacity: 65_544,
  }),
  badHeader("fields-capacity-overflows", "fields_offset + fields_capacity is 120 in 32 bits", {
    fields_capacity: 0xffff_fff8,
  }),
  badHeader("payload-offset-in-header", "the payload lies over the slot header", {
    payload_offset: 64,
  }),
  badHeader("payload-offset-odd", "payload_offset is no multiple of 64", { payload_offset: 184 }),
  badHeader("payload-offset-large", "the payload lies in the next slot", { payload_offset: 256 }),
  badHeader("payload-offset-all-ones", "payload_offset is 2^32 - 64", {
    payload_offset: 0xffff_ffc0,
  }),
  badHeader("descriptor-in-header", "the descriptor lies in the header", {
    descriptor_offset: 128,
  }),
  badHeader("descriptor-late", "the descriptor reaches into slot 0", { descriptor_offset: 512 }, [
    "descriptor_bytes",
    "slots_offset",
  ]),
  badHeader("descriptor-overflows", "descriptor_offset + descriptor_bytes is small in 32 bits", {
    descriptor_offset: 0xffff_ff00,
  }),
  badHeader("descriptor-long", "the descriptor is longer than what lies before the slots", {
    descriptor_bytes: 4096,
  }),
  badHeader("descriptor-65537", "one byte more than the longest descriptor", {
    descriptor_bytes: 65_537,
  }),
  badHeader("descriptor-all-ones", "descriptor_bytes is 2^32 - 1", {
    descriptor_bytes: 0xffff_ffff,
  }),
];

export const refusedCases = [...notRings, ...hostileHeaders];
