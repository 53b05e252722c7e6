/**
 * What a client asks for on each stream port, written and read by the same blocks. A server reads block
 * by block and refuses at the first that does not hold.
 */
import {
  aacLevels,
  audioProfiles,
  depthProfiles,
  eyeTrackerRates,
  type Option,
  pngFilters,
  videoProfiles,
} from "./codes.ts";
import { type Grammar, value } from "./grammar.ts";
import type { StreamFamily } from "./ports.ts";
import { listed, ProtocolError } from "./protocol-error.ts";
import {
  type Fields,
  f32,
  joined,
  type RecordLayout,
  record,
  u8,
  u16,
  u32,
  u64,
  type ValuesOf,
  viewOf,
} from "./record.ts";

export interface VideoFormat {
  width: number;
  height: number;
  framerate: number;
}

interface VideoEncoding {
  profile: number;
  level: number;
  /** Bit/s, never 0, not even with profile raw. */
  bitrate: number;
}

interface Framed {
  mode: 0 | 1;
  /** The server gives one frame of so many, beginning with the first. */
  divisor: number;
}

interface AudioEncoding {
  profile: number;
  level: number;
}

interface Optional {
  options: Option[];
}

/** A stream's configuration by family. */
export interface Configurations {
  vlc: Framed & VideoEncoding & Optional;
  ahat: Framed & { depthProfile: number } & VideoEncoding & Optional;
  longthrow: Framed & { pngFilter: number };
  imu: { mode: 0 | 1 };
  pv: Framed & VideoFormat & VideoEncoding & Optional;
  microphone: AudioEncoding;
  "spatial-input": Record<never, never>;
  "eye-tracker": { fps: number };
  "extended-audio": {
    mixerMode: number;
    loopbackGain: number;
    microphoneGain: number;
  } & AudioEncoding;
  "extended-video": Configurations["pv"];
  "extended-depth": Framed & { depthProfile: number } & Optional;
}

/** A part of a message. `T` names the members of the configuration that it holds. */
export interface Block<T> {
  /** Reads and checks. */
  grammar(where: string): Grammar<T>;
  encode(configuration: T): Uint8Array;
}

type Problem = { what: string; allowed: string } | null;

function block<S extends Fields>(
  layout: RecordLayout<S>,
  problemOf: (values: ValuesOf<S>) => Problem,
): Block<ValuesOf<S>> {
  return {
    *grammar(where) {
      const values = yield* value(layout);
      const problem = problemOf(values);
      if (problem) throw new ProtocolError({ where, ...problem });
      return values;
    },
    encode(configuration) {
      const problem = problemOf(configuration);
      if (problem) throw new RangeError(`${problem.what}; allowed: ${problem.allowed}`);
      return layout.encode(configuration);
    },
  };
}

function oneOf(name: string, code: number, codes: Record<string, number>): Problem {
  if (Object.values(codes).includes(code)) return null;
  return { what: `${name} ${code}`, allowed: listed(codes) };
}

export const videoFormat: Block<VideoFormat> = block(
  record({ width: u16, height: u16, framerate: u8 }),
  () => null,
);

const divisor = block(record({ divisor: u8 }), ({ divisor }) =>
  divisor === 0 ? { what: "divisor 0", allowed: "1 to 255" } : null,
);

const videoEncoding = block(
  record({ profile: u8, level: u8, bitrate: u32 }),
  ({ profile, bitrate }) =>
    oneOf("video profile", profile, videoProfiles) ??
    (bitrate === 0 ? { what: "bitrate 0", allowed: "1 to 4294967295 bit/s" } : null),
);

const depthEncoding = block(record({ depthProfile: u8 }), ({ depthProfile }) =>
  oneOf("depth profile", depthProfile, depthProfiles),
);

const pngEncoding = block(record({ pngFilter: u32 }), ({ pngFilter }) =>
  oneOf("PNG filter", pngFilter, pngFilters),
);

const audioEncoding = block(
  record({ profile: u8, level: u8 }),
  ({ profile, level }) =>
    oneOf("audio profile", profile, audioProfiles) ??
    (profile === audioProfiles.raw ? null : oneOf("AAC level", level, aacLevels)),
);

const mixer = block(record({ mixerMode: u32, loopbackGain: f32, microphoneGain: f32 }), () => null);

const eyeTrackerRate = block(record({ fps: u8 }), ({ fps }) =>
  (eyeTrackerRates as readonly number[]).includes(fps)
    ? null
    : { what: `${fps} frames per second`, allowed: eyeTrackerRates.join(", ") },
);

const option = record({ key: u64, value: u64 });

const options: Block<Optional> = {
  *grammar() {
    const count = yield* value(u8);
    const bytes = viewOf(yield count * option.bytes);
    return {
      options: Array.from({ length: count }, (_, i) => option.read(bytes, i * option.bytes)),
    };
  },
  encode: ({ options }) => {
    if (options.length > 255) throw new RangeError(`${options.length} options; allowed: 0 to 255`);
    return joined(Uint8Array.of(options.length), ...options.map((one) => option.encode(one)));
  },
};

/** Each message after its mode byte, where the port has one. */
export const messages: Record<StreamFamily, Block<object>[]> = {
  vlc: [divisor, videoEncoding, options],
  ahat: [divisor, depthEncoding, videoEncoding, options],
  longthrow: [divisor, pngEncoding],
  imu: [],
  pv: [videoFormat, divisor, videoEncoding, options],
  microphone: [audioEncoding],
  "spatial-input": [],
  "eye-tracker": [eyeTrackerRate],
  "extended-audio": [mixer, audioEncoding],
  "extended-video": [videoFormat, divisor, videoEncoding, options],
  "extended-depth": [divisor, depthEncoding, options],
};

/** The message that starts a stream. Throws RangeError for what the server would refuse. */
export function encodeConfiguration<F extends StreamFamily>(
  family: F,
  configuration: Configurations[F],
): Uint8Array {
  const parts = messages[family].map((part) => part.encode(configuration));
  return joined(modeByte(configuration), ...parts);
}

function modeByte(configuration: object): Uint8Array {
  if (!("mode" in configuration)) return new Uint8Array(0);
  const { mode } = configuration;
  if (mode !== 0 && mode !== 1) throw new RangeError(`mode ${mode}; allowed: 0, 1`);
  return Uint8Array.of(mode);
}

/** Asks for the single transfer of a port with modes: calibration, or extended video's device list. */
export function encodeTransferRequest(family: StreamFamily, format?: VideoFormat): Uint8Array {
  const mode = Uint8Array.of(2);
  if (family !== "pv") return mode;
  if (!format) throw new RangeError("the camera's calibration depends on its format: name one");
  return joined(mode, videoFormat.encode(format));
}
