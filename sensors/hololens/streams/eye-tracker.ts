/** The extended eye tracker: gaze of both eyes and of each, in the tracker's frame, with its pose. */
import type { StreamSpec } from "../../../src/ring/descriptor.ts";
import type { HololensConfig } from "../config.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { eyeTrackerBits, eyeTrackerReading, validEyeBitsOf } from "../wire/eye-tracker.ts";
import { viewOf } from "../wire/record.ts";
import { createFrameMetas, fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

const { offsets } = eyeTrackerReading;

/** The record is what follows the reserved word, just as it arrives. */
const recordAt = offsets.combinedOrigin;

const validity = [
  { name: "calibration_valid", bit: eyeTrackerBits.calibration },
  { name: "combined_valid", bit: eyeTrackerBits.combined },
  { name: "left_valid", bit: eyeTrackerBits.left },
  { name: "right_valid", bit: eyeTrackerBits.right },
  { name: "left_openness_valid", bit: eyeTrackerBits.leftOpenness },
  { name: "right_openness_valid", bit: eyeTrackerBits.rightOpenness },
  { name: "vergence_valid", bit: eyeTrackerBits.vergence },
];

const fields = fieldsOf({ pose: true }, [
  { name: "valid", dtype: "<u4" },
  ...validity.map(({ name }) => ({ name, dtype: "|u1" })),
]);

function specOf({ eyeTracker }: HololensConfig): StreamSpec {
  return {
    kind: "pose",
    dtype: [
      ["combined_origin", "<f4", [3]],
      ["combined_direction", "<f4", [3]],
      ["left_origin", "<f4", [3]],
      ["left_direction", "<f4", [3]],
      ["right_origin", "<f4", [3]],
      ["right_direction", "<f4", [3]],
      ["left_openness", "<f4"],
      ["right_openness", "<f4"],
      ["vergence_distance", "<f4"],
      ["valid", "<u4"],
    ],
    shape: [],
    rate: eyeTracker.fps,
    units: "m",
    fields,
  };
}

export const eyeTrackerReceiving: StreamReceiving<"eye-tracker"> = {
  configuration: ({ eyeTracker }) => configurationOf("eye-tracker", { fps: eyeTracker.fps }),
  rings: (config, ring) => [{ name: ring, spec: specOf(config) }],
  open: async (setup) => openEyeTracker(setup),
};

function openEyeTracker(setup: ReceiverSetup): Receiver {
  const { context, config, ring, described } = setup;
  const writer = context.stream(ring, { ...specOf(config), ...described });
  const metas = createFrameMetas(setup, fields);
  return {
    leaveOut: "none",
    begin: metas.begin,
    take(packet) {
      if (!metas.inOrder(packet)) return;
      const view = viewOf(packet.payload);
      const valid = validEyeBitsOf(view);
      view.setUint32(offsets.valid, valid, true);
      const flags = validity.map(({ name, bit }) => [name, (valid & bit) === 0 ? 0 : 1]);
      const meta = metas.of(packet, { valid, ...Object.fromEntries(flags) });
      writer.publish(packet.payload.subarray(recordAt), meta);
    },
    close() {},
  };
}
