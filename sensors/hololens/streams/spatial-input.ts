/** Head, gaze and both hands, in the world: one record, whose valid bits say what of it is current. */
import type { StreamSpec } from "../../../src/ring/descriptor.ts";
import { itemSize } from "../../../src/ring/descriptor.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { viewOf } from "../wire/record.ts";
import {
  handJoint,
  jointNames,
  spatialInput,
  spatialInputBits,
  validBitsOf,
} from "../wire/spatial-input.ts";
import { createFrameMetas, fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

const joints = jointNames.length;
const { offsets } = spatialInput;

function handOf(side: string): [string, string, number[]][] {
  return [
    [`hand_${side}_orientation`, "<f4", [joints, 4]],
    [`hand_${side}_position`, "<f4", [joints, 3]],
    [`hand_${side}_radius`, "<f4", [joints]],
    [`hand_${side}_accuracy`, "<i4", [joints]],
  ];
}

const dtype: [string, string, number[]][] = [
  ["valid", "<u4", []],
  ["head_position", "<f4", [3]],
  ["head_forward", "<f4", [3]],
  ["head_up", "<f4", [3]],
  ["eye_origin", "<f4", [3]],
  ["eye_direction", "<f4", [3]],
  ...handOf("left"),
  ...handOf("right"),
];

const validity = [
  { name: "head_valid", bit: spatialInputBits.head },
  { name: "eye_valid", bit: spatialInputBits.eyeRay },
  { name: "hand_left_valid", bit: spatialInputBits.handLeft },
  { name: "hand_right_valid", bit: spatialInputBits.handRight },
];

const fields = fieldsOf({ pose: false }, [
  { name: "valid", dtype: "<u4" },
  ...validity.map(({ name }) => ({ name, dtype: "|u1" })),
]);

const spec: StreamSpec = {
  kind: "pose",
  dtype,
  shape: [],
  /** Nominal: what comes may be half of it. */
  rate: 60,
  units: "m",
  fields,
};

export const spatialInputReceiving: StreamReceiving<"spatial-input"> = {
  configuration: () => configurationOf("spatial-input"),
  rings: (_config, ring) => [{ name: ring, spec: { ...spec, source: { joints: jointNames } } }],
  open: async (setup) => openSpatialInput(setup),
};

function openSpatialInput(setup: ReceiverSetup): Receiver {
  const { context, ring, described } = setup;
  const source = { ...described.source, joints: jointNames };
  const writer = context.stream(ring, { ...spec, ...described, source });
  const metas = createFrameMetas(setup, fields);
  const record = new Uint8Array(itemSize(dtype));
  return {
    leaveOut: "none",
    begin: metas.begin,
    take(packet) {
      if (!metas.inOrder(packet)) return;
      const valid = validBitsOf(viewOf(packet.payload));
      arrange(packet.payload, record);
      viewOf(record).setUint32(offsets.valid, valid, true);
      const flags = validity.map(({ name, bit }) => [name, (valid & bit) === 0 ? 0 : 1]);
      writer.publish(record, metas.of(packet, { valid, ...Object.fromEntries(flags) }));
    },
    close() {},
  };
}

/** Members of a joint in both orders: on the wire each joint has all, in the record each has all joints. */
const members = [
  { from: handJoint.offsets.orientation, bytes: 16 },
  { from: handJoint.offsets.position, bytes: 12 },
  { from: handJoint.offsets.radius, bytes: 4 },
  { from: handJoint.offsets.accuracy, bytes: 4 },
];

function arrange(payload: Uint8Array, record: Uint8Array): void {
  record.set(payload.subarray(0, offsets.handLeft));
  let to = offsets.handLeft;
  for (const hand of [offsets.handLeft, offsets.handRight]) {
    for (const { from, bytes } of members) {
      for (let joint = 0; joint < joints; joint++, to += bytes) {
        const at = hand + joint * handJoint.bytes + from;
        record.set(payload.subarray(at, at + bytes), to);
      }
    }
  }
}
