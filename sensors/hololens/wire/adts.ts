/** AAC frames as they are sent: one each packet, with the 7 (or 9) bytes of an ADTS header. */
import { ProtocolError } from "./protocol-error.ts";
import { joined } from "./record.ts";

const sampleRates = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];
export const samplesPerFrame = 1024;
const headerBytes = 7;
const largestFrame = 0x1fff;
const lowComplexity = 2;

export interface AdtsFrame {
  sampleRateHz: number;
  /** 0: said inside the frame. */
  channels: number;
  /** MPEG-4 audio object type; 2 is LC, which HE streams say of themselves too. */
  objectType: number;
  /** Without header and checksum. */
  data: Uint8Array;
}

/** @throws ProtocolError `frame`: the next one may be in order */
export function parseAdts(payload: Uint8Array, where: string): AdtsFrame {
  const wrong = (what: string, allowed: string) =>
    new ProtocolError({ where, what, allowed, kind: "frame" });
  if (payload.byteLength <= headerBytes) {
    throw wrong(
      `an AAC frame of ${payload.byteLength} bytes`,
      `${headerBytes + 1} to ${largestFrame}`,
    );
  }
  const [b0, b1, b2, b3, b4, b5] = payload as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (b0 !== 0xff || (b1 & 0xf6) !== 0xf0) {
    throw wrong(`${hex(b0)} ${hex(b1)} instead of an ADTS header`, "0xff 0xf0 to 0xf9");
  }
  const length = ((b3 & 3) << 11) | (b4 << 3) | (b5 >> 5);
  if (length !== payload.byteLength) {
    throw wrong(`ADTS length ${length} in ${payload.byteLength} bytes`, "the payload's own length");
  }
  const sampleRateHz = sampleRates[(b2 >> 2) & 15];
  if (!sampleRateHz) throw wrong(`ADTS sample rate number ${(b2 >> 2) & 15}`, "0 to 12");
  const skipped = (b1 & 1) === 1 ? headerBytes : headerBytes + 2;
  if (length <= skipped) throw wrong("an ADTS header alone", "a header and data");
  return {
    sampleRateHz,
    channels: ((b2 & 1) << 2) | (b3 >> 6),
    objectType: (b2 >> 6) + 1,
    data: payload.subarray(skipped),
  };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** Without checksum, buffer fullness "variable rate". Throws RangeError for what has no place in the header. */
export function encodeAdts({
  sampleRateHz,
  channels,
  objectType = lowComplexity,
  data,
}: Omit<AdtsFrame, "objectType"> & { objectType?: number }): Uint8Array {
  const rate = sampleRates.indexOf(sampleRateHz);
  const length = headerBytes + data.byteLength;
  if (rate < 0) throw new RangeError(`${sampleRateHz} Hz; allowed: ${sampleRates.join(", ")}`);
  if (length > largestFrame) throw new RangeError(`${length} bytes; allowed: ${largestFrame}`);
  const header = Uint8Array.of(
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (rate << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  );
  return joined(header, data);
}
