/**
 * Sound into a ring, channel by channel. Copies of a frame: AAC once coded and once as the decoder's
 * planes go into the slot; samples once to where typed arrays can begin, and once into the slot.
 */
import {
  elementCount,
  type FieldSpec,
  itemSize,
  type StreamSpec,
} from "../../../src/ring/descriptor.ts";
import type { RingWriter } from "../../../src/ring.ts";
import { openLibrary } from "../decoding/library.ts";
import { createSoundDecoder, type DecodedSound } from "../decoding/sound-decoder.ts";
import { parseAdts, samplesPerFrame } from "../wire/adts.ts";
import {
  type AudioFormat,
  audioRateHz,
  deinterleave,
  parseSamples,
} from "../wire/audio-payload.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { createFrameMetas, fieldsOf } from "./frame-meta.ts";
import type { Arrived, Receiver, ReceiverSetup } from "./receiver.ts";

/** Samples that the audio engine is seen to deliver at once; each frame says its own number. */
const usualSamples = 768;
const stereo = 2;
/** Of a passthrough frame, whose format the device list alone knows. */
const usualBytes = 15_360;

const fields: FieldSpec[] = fieldsOf({ pose: false });

function sound(dtype: string, channels: number, samples: number): StreamSpec {
  return {
    kind: "audio",
    dtype,
    shape: [channels, samples],
    dims: ["channel", "sample"],
    rate: audioRateHz / samples,
    sampleRateHz: audioRateHz,
    channels,
    fields,
  };
}

export function soundSpec(format: AudioFormat): StreamSpec {
  if (format.encoding === "aac") return sound("<f4", stereo, samplesPerFrame);
  if (format.encoding === "device") {
    return { kind: "tensor", dtype: "|u1", shape: [usualBytes], dims: ["byte"], fields };
  }
  return sound(format.encoding === "s16" ? "<i2" : "<f4", format.channels, usualSamples);
}

/** Puts one packet's frame into a slot of at least `bytes(shape)`. */
interface Content {
  shape: number[];
  fill(slot: Uint8Array): void;
}

export async function openSound(setup: ReceiverSetup, format: AudioFormat): Promise<Receiver> {
  const { context, stream: where, described } = setup;
  const spec = { ...soundSpec(format), ...described };
  const metas = createFrameMetas(setup, fields);
  const writer = createSlots(setup, spec);

  const publish = (packet: Arrived, content: Content | null) => {
    if (!content || !metas.inOrder(packet)) return;
    writer.publish(content, metas.of(packet));
  };

  if (format.encoding !== "aac") {
    const read = format.encoding === "device" ? bytesOf : samplesOf(format, where);
    const take = (packet: Arrived) => publish(packet, read(packet.payload));
    return { leaveOut: "none", begin: metas.begin, take, close() {} };
  }
  const library = await openLibrary(context);
  const decoder = createSoundDecoder(library.ffmpeg, where);
  return {
    leaveOut: "none",
    begin() {
      decoder.begin();
      metas.begin();
    },
    take(packet) {
      parseAdts(packet.payload, where);
      const decoded = decoder.decode(packet.payload);
      publish(packet, decoded && planesOf(decoded, where));
    },
    close() {
      decoder.close();
      library.close();
    },
  };
}

type Slots = { publish(content: Content, meta: Parameters<RingWriter["commit"]>[1]): void };

function createSlots({ context, ring }: ReceiverSetup, spec: StreamSpec): Slots {
  const item = itemSize(spec.dtype);
  let writer: RingWriter | null = null;
  return {
    publish({ shape, fill }, meta) {
      const bytes = item * elementCount(shape);
      writer ??= context.stream(ring, spec);
      if (bytes > writer.payloadCapacity) {
        writer = context.stream(ring, spec, { payloadCapacity: 2 * bytes });
      }
      fill(writer.acquire());
      writer.commit(bytes, { ...meta, shape });
    },
  };
}

function planesOf(
  { planes, channels, samples, sampleRateHz }: DecodedSound,
  where: string,
): Content {
  if (channels !== stereo || sampleRateHz !== audioRateHz) {
    const what = `sound of ${channels} channels at ${sampleRateHz} Hz`;
    const allowed = `${stereo} at ${audioRateHz} Hz`;
    throw new ProtocolError({ where, what, allowed, kind: "frame" });
  }
  const planeBytes = 4 * samples;
  return {
    shape: [channels, samples],
    fill: (slot) =>
      planes.forEach((plane, i) => {
        slot.set(plane.subarray(0, planeBytes), i * planeBytes);
      }),
  };
}

function samplesOf(format: Extract<AudioFormat, { channels: number }>, where: string) {
  const { channels } = format;
  return (payload: Uint8Array): Content => {
    const samples = parseSamples(payload, format, where);
    const { length } = samples;
    return {
      shape: [channels, length / channels],
      fill({ buffer, byteOffset }) {
        if (samples instanceof Int16Array) {
          deinterleave(samples, channels, new Int16Array(buffer, byteOffset, length));
        } else deinterleave(samples, channels, new Float32Array(buffer, byteOffset, length));
      },
    };
  };
}

/** Null: nothing in it. */
function bytesOf(payload: Uint8Array): Content | null {
  if (payload.byteLength === 0) return null;
  return { shape: [payload.byteLength], fill: (slot) => slot.set(payload) };
}
