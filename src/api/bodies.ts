/** What the hub knows, in the words of the API's schemas. */
import type { ClockState } from "../../sensors/sensor.ts";
import { redactDeep } from "../log/redact.ts";
import { pixelFormatOf } from "../pictures/pictures.ts";
import type { Descriptor } from "../ring/descriptor.ts";
import { monotonicNs } from "../ring/ffi.ts";
import type { SegmentFrame } from "../ring/segment.ts";
import { hopsText } from "../streams/hops.ts";
import type { Stream } from "../streams/stream.ts";
import type { SensorStatus } from "../supervisor/sensor-status.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { jsonObject } from "./json.ts";
import type { FrameBody, FrameNumbersBody, SensorBody, StreamBody } from "./schemas.ts";

const shown = new WeakMap<Descriptor, Descriptor>();

/** Throws LayoutError where the ring cannot be read any more. */
export function streamBody(stream: Stream, supervisor: Supervisor): StreamBody {
  const { segment, name } = stream;
  const { descriptor, header, uid } = segment;
  const { state, measuredRate, ageNs, lastSequence, lastBytes, hops, frames, generations } =
    stream.look();
  return {
    ...withoutSecrets(descriptor),
    sensor: sensorOf(name, supervisor),
    state,
    measuredRate,
    bytesPerSecond: measuredRate === null || lastBytes === null ? null : measuredRate * lastBytes,
    ageNs: text(ageNs),
    lastSequence: text(lastSequence),
    latency: hops && hopsText(hops),
    reservedBytes: header.totalBytes,
    wakeMode: header.wakeMode,
    writer: { pid: header.writerPid, uid, startedUtcNs: text(header.writerStartUtcNs) },
    counters: { frames: text(frames), generations },
    links: links(name, descriptor, supervisor.calibration(name) !== undefined),
  };
}

/** The name of the hub's sensor that makes it; null where another program does. */
export function sensorOf(stream: string, supervisor: Supervisor): string | null {
  return supervisor.list().find(({ streams }) => streams.includes(stream))?.name ?? null;
}

/** Sensors redact their source themselves; a stranger's producer may not know that. */
function withoutSecrets(descriptor: Descriptor): Descriptor {
  const known = shown.get(descriptor);
  if (known) return known;
  const redacted = redactDeep(descriptor) as Descriptor;
  shown.set(descriptor, redacted);
  return redacted;
}

function links(name: string, descriptor: Descriptor, calibrated: boolean): StreamBody["links"] {
  const self = `/api/v1/streams/${name}`;
  const latest = `${self}/latest`;
  const picture = pixelFormatOf(descriptor) !== null;
  return {
    self,
    latest,
    npy: `${latest}.npy`,
    bin: `${latest}.bin`,
    jpg: picture ? `${latest}.jpg` : null,
    png: picture ? `${latest}.png` : null,
    calibration: calibrated ? `${self}/calibration` : null,
  };
}

export function frameBody(stream: Stream, frame: SegmentFrame): FrameBody {
  return {
    ...frameNumbersBody(stream, frame),
    dtype: stream.segment.descriptor.dtype,
    fields: jsonObject(frame.fields),
  };
}

export function frameNumbersBody(
  { name, generation }: Stream,
  { header, seq, shape, payloadBytes }: SegmentFrame,
): FrameNumbersBody {
  const age = monotonicNs() - (header.captureTimeNs ?? header.publishTimeNs);
  return {
    name,
    generation,
    sequence: text(seq),
    shape,
    payloadBytes,
    deviceTime: text(header.deviceTime),
    captureTimeNs: text(header.captureTimeNs),
    timeErrorNs: text(header.timeErrorNs),
    clockEpoch: header.clockEpoch,
    publishTimeNs: text(header.publishTimeNs),
    publishUtcNs: text(header.publishUtcNs),
    ageNs: text(age),
  };
}

export function sensorBody(status: SensorStatus): SensorBody {
  return { ...status, clock: status.clock && clockBody(status.clock) };
}

function clockBody({ offsetNs, errorNs, roundTripNs, probedNs, ...clock }: ClockState) {
  return {
    ...clock,
    offsetNs: text(offsetNs),
    errorNs: text(errorNs),
    roundTripNs: text(roundTripNs),
    probedNs: text(probedNs),
    probeAgeNs: text(probeAgeNs(probedNs)),
  };
}

/** Null where there was no probe. */
export function probeAgeNs(probedNs: bigint | null): bigint | null {
  return probedNs === null ? null : monotonicNs() - probedNs;
}

function text(value: bigint): string;
function text(value: bigint | null): string | null;
function text(value: bigint | null): string | null {
  return value === null ? null : value.toString();
}
