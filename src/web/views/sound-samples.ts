/** A block of sound as numbers from -1 to 1, a row for each channel. */
import type { StreamBody } from "../../api/schemas.ts";

type Read = (view: DataView, at: number, little: boolean) => number;

const readers: Record<string, { bytes: number; read: Read }> = {
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) / 2 ** 15 },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) / 2 ** 31 },
  u1: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) / 128 },
};

const channelsMax = 16;

/**
 * @param shape of this block: (channel, sample), (sample, channel) where `dims` says so or there are more rows
 *   than columns, or (sample)
 */
export function channelsOf(
  data: Uint8Array,
  { dtype, dims }: Pick<StreamBody, "dtype" | "dims">,
  shape: number[],
): Float32Array[] {
  const [, order, type = ""] =
    /^([<>|=]?)(\w\d)$/.exec(typeof dtype === "string" ? dtype : "") ?? [];
  const reader = readers[type];
  if (!reader) return [];
  const [rows = 0, columns = 1] = shape.length === 1 ? [1, shape[0] ?? 0] : shape;
  const interleaved = shape.length > 1 && (dims ? dims[1] === "channel" : rows > columns);
  const [channels, stated] = interleaved ? [columns, rows] : [rows, columns];
  const held = Math.floor(data.byteLength / reader.bytes / (channels || 1));
  const samples = Math.min(stated, held);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: Math.min(channels, channelsMax) }, (_, channel) => {
    const values = new Float32Array(samples);
    for (let sample = 0; sample < samples; sample++) {
      const index = interleaved ? sample * channels + channel : channel * stated + sample;
      values[sample] = reader.read(view, index * reader.bytes, order !== ">");
    }
    return values;
  });
}

export interface Level {
  /** Root of the mean square, and the largest sample; 1 is full scale. */
  rms: number;
  peak: number;
}

export function levelOf(samples: Float32Array): Level {
  let [squares, peak] = [0, 0];
  for (const value of samples) {
    squares += value * value;
    peak = Math.max(peak, Math.abs(value));
  }
  return { rms: Math.sqrt(squares / (samples.length || 1)), peak };
}

export const decibelFloor = -60;

/** dB below full scale, at least the floor. */
export function decibels(level: number): number {
  return level > 0 ? Math.max(decibelFloor, 20 * Math.log10(level)) : decibelFloor;
}

/** The mean of all channels. */
export function mixed(channels: Float32Array[]): Float32Array {
  const [first = new Float32Array(), ...others] = channels;
  const mix = Float32Array.from(first);
  for (const other of others)
    for (let i = 0; i < mix.length; i++) mix[i] = (mix[i] ?? 0) + (other[i] ?? 0);
  for (let i = 0; i < mix.length; i++) mix[i] = (mix[i] ?? 0) / channels.length;
  return mix;
}
