/**
 * Accelerometer, gyroscope, magnetometer: a frame for each batch of the device, its records as they
 * arrived. A batch whose samples all carry one time gets theirs from the sensor's own clock.
 */
import { frameBytes, type StreamSpec } from "../../../src/ring/descriptor.ts";
import type { HololensConfig } from "../config.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import { imuSample, spreadSocTicks } from "../wire/imu.ts";
import type { StreamName } from "../wire/ports.ts";
import { viewOf } from "../wire/record.ts";
import { createFrameMetas, fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

interface Batches {
  /** Samples in a usual one; each frame says its own number. */
  samples: number;
  rate: number;
  units: string;
}

const batches: Partial<Record<StreamName, Batches>> = {
  accelerometer: { samples: 93, rate: 11.76, units: "m/s^2" },
  gyroscope: { samples: 315, rate: 20.8, units: "deg/s" },
  magnetometer: { samples: 11, rate: 4.5, units: "not stated by the device" },
};

/** So many usual batches fit a slot; a longer one, up to the 64 KiB that are taken at all, makes a larger ring. */
const batchesOfSlot = 4;

function specOf(stream: StreamName, { pose }: HololensConfig): StreamSpec {
  const { samples, rate, units } = batches[stream] as Batches;
  return {
    kind: "imu",
    dtype: [
      ["sensor_ticks", "<u8"],
      ["soc_ticks", "<u8"],
      ["xyz", "<f4", [3]],
      ["temperature", "<f4"],
    ],
    shape: [samples],
    dims: ["sample"],
    rate,
    units,
    // The pose belongs to the packet's own time, not to its first sample's.
    fields: fieldsOf({ pose }, [{ name: "packet_time", dtype: "<u8", unit: "100 ns" }]),
  };
}

export const imuReceiving: StreamReceiving<"imu"> = {
  configuration: ({ pose }) => configurationOf("imu", { mode: pose ? 1 : 0 }),
  rings: (config, ring, stream) => [{ name: ring, spec: specOf(stream, config) }],
  open: async (setup) => openImu(setup),
};

function openImu(setup: ReceiverSetup): Receiver {
  const { context, config, ring, stream, described } = setup;
  const spec = { ...specOf(stream, config), ...described };
  const payloadCapacity = batchesOfSlot * frameBytes(spec);
  const writer = context.stream(ring, spec, { payloadCapacity });
  const metas = createFrameMetas(setup, spec.fields ?? []);
  return {
    leaveOut: "none",
    begin: metas.begin,
    take(packet) {
      const { payload, timestamp } = packet;
      spreadSocTicks(payload);
      const first = viewOf(payload).getBigUint64(imuSample.offsets.socTicks, true);
      const batch = { ...packet, timestamp: first };
      if (!metas.inOrder(batch)) return;
      const shape = [payload.byteLength / imuSample.bytes];
      writer.publish(payload, { ...metas.of(batch, { packet_time: timestamp }), shape });
    },
    close() {},
  };
}
