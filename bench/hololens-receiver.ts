/** A stream's receiver as its process has it, fed from memory instead of a socket. */
import { receivingOf } from "../sensors/hololens/streams/families.ts";
import type { Receiver } from "../sensors/hololens/streams/receiver.ts";
import { imuSample } from "../sensors/hololens/wire/imu.ts";
import type { Packet } from "../sensors/hololens/wire/packet.ts";
import { streamPorts } from "../sensors/hololens/wire/ports.ts";
import type { SensorContext } from "../sensors/sensor.ts";
import { createFollowedClock } from "../src/clock/probe-clock.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { createWriter, type RingWriter } from "../src/ring.ts";
import { configOf, type StreamCase, sensorName } from "./hololens-cases.ts";

export interface Fed {
  /** Before each round: times within payloads go on where the packets begin anew. */
  begin(): void;
  /** Takes the next packet; its time goes on likewise. */
  frame(number: number): void;
  /** After it. Throws unless every packet was published: what is left out costs nothing. */
  end(): void;
  close(): void;
}

const ticksPerSecond = 10_000_000;

export async function openReceiver(
  measured: StreamCase,
  { packets, periodSeconds }: { packets: Packet[]; periodSeconds: number },
): Promise<Fed> {
  const { stream } = measured;
  const config = configOf(measured);
  const writers: RingWriter[] = [];
  const clock = createFollowedClock({ ticksPerSecond });
  clock.tell({ epoch: 0, piece: lineNow((packets[0] as Packet).timestamp) });
  const receiver: Receiver = await receivingOf(streamPorts[stream].family).open({
    context: contextFor(writers, String(caseNumber++)),
    ...{ config, stream, ring: `${sensorName}.${stream}`, clock: clock.stream() },
    described: {
      clock: { name: "HoloLens QPC", unit: "100 ns", epoch: "device boot", method: "probe" },
      lagNs: "0",
      source: { kind: "hololens", host: config.host, stream },
    },
  });
  receiver.begin();
  const first = (packets[0] as Packet).timestamp;
  const periodTicks = periodSeconds * ticksPerSecond;
  let expected = 0n;
  const isImu = streamPorts[stream].family === "imu";
  const roundTicks = BigInt(Math.round(packets.length * periodTicks));
  return {
    begin() {
      if (isImu) for (const { payload } of packets) shiftSocTicks(payload, roundTicks);
    },
    frame(number) {
      const { payload, pose } = packets[number % packets.length] as Packet;
      const timestamp = first + BigInt(Math.round(number * periodTicks));
      receiver.take({ payload, pose, timestamp, arrivalNs: monotonicNs() }, 0);
    },
    end() {
      expected += BigInt(packets.length);
      const { sequence } = writers[0] as RingWriter;
      if (sequence !== expected) throw new Error(`${stream}: ${sequence} of ${expected} published`);
    },
    close() {
      receiver.close();
      for (const writer of writers) writer.close();
    },
  };
}

let caseNumber = 0;

function shiftSocTicks(payload: Uint8Array, ticks: bigint): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let at = imuSample.offsets.socTicks; at < payload.byteLength; at += imuSample.bytes) {
    view.setBigUint64(at, view.getBigUint64(at, true) + ticks, true);
  }
}

/** Device time to ours, as probes would have it. */
function lineNow(ticks: bigint) {
  const nowNs = monotonicNs();
  return {
    ...{ fromNs: ticks * 100n, captureNs: nowNs, probedNs: nowNs },
    ...{ rate: 0, lagNs: 0, slewNs: 1e9, errorNs: 50_000, growth: 1e-5 },
  };
}

function contextFor(writers: RingWriter[], label: string): SensorContext {
  const silent = () => {};
  return {
    name: sensorName,
    prefix: "",
    part: "",
    signal: new AbortController().signal,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    counters: {},
    stream(name, spec, options) {
      const writer = createWriter(`${name}.${label}`, spec, options);
      writers.push(writer);
      return writer;
    },
    state: silent,
    clock: silent,
    calibration: silent,
    tell: silent,
    heard: silent,
    controls: silent,
  };
}
