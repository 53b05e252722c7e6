/** What every published frame says besides its pixels or samples: times, arrival, pose, own fields. */
import type { FieldSpec } from "../../../src/ring/descriptor.ts";
import { fieldsBytes } from "../../../src/ring/descriptor.ts";
import { encodeFields, layOutFields } from "../../../src/ring/fields.ts";
import type { FrameMeta } from "../../../src/ring.ts";
import { poseIsValid } from "../wire/pose.ts";
import type { Arrived, ReceiverSetup } from "./receiver.ts";

/** What is kept of a packet after its bytes are gone. */
export type Received = Pick<Arrived, "timestamp" | "arrivalNs" | "pose">;

type Field = Omit<FieldSpec, "offset">;
type Values = Parameters<typeof encodeFields>[2];

/** The descriptor's `fields` of a stream. */
export function fieldsOf({ pose }: { pose: boolean }, own: Field[] = []): FieldSpec[] {
  return layOutFields([
    { name: "arrival_time_ns", dtype: "<u8", unit: "ns" },
    ...(pose ? poseFields : []),
    ...own,
  ]);
}

/** `[x y z 1] · pose` takes a point of the sensor's frame to the world, metres. */
const poseFields: Field[] = [
  { name: "pose", dtype: "<f4", shape: [4, 4] },
  { name: "pose_valid", dtype: "|u1" },
];

export interface FrameMetas {
  /** A connection begins: its first packet is the newest, whatever came before (the device may have rebooted). */
  begin(): void;
  /** False, and counted: a newer one has been published. */
  inOrder(packet: Received): boolean;
  /** Call it once for each published packet; valid until the next. */
  of(packet: Received, values?: Values): FrameMeta;
}

export function createFrameMetas(
  { clock, context }: Pick<ReceiverSetup, "clock" | "context">,
  fields: FieldSpec[],
): FrameMetas {
  const bytes = new Uint8Array(fieldsBytes(fields));
  const noPose = new Float32Array(16);
  let newest: bigint | null = null;

  return {
    begin() {
      newest = null;
    },
    inOrder({ timestamp }) {
      if (newest === null || timestamp >= newest) return true;
      context.counters.outOfOrder = (context.counters.outOfOrder ?? 0) + 1;
      return false;
    },
    of({ timestamp, arrivalNs, pose }, values = {}) {
      newest = timestamp;
      const located = pose !== null && poseIsValid(pose);
      encodeFields(bytes, fields, {
        arrival_time_ns: arrivalNs,
        ...(pose && { pose: located ? pose : noPose, pose_valid: located ? 1 : 0 }),
        ...values,
      });
      return { deviceTime: timestamp, ...clock.map(timestamp, arrivalNs), fields: bytes };
    },
  };
}
