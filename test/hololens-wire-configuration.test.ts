// What a client asks for: written, read as a server reads it, and refused where a server refuses.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Configurations,
  encodeConfiguration,
} from "../sensors/hololens/wire/configuration.ts";
import {
  clockOptions,
  configurationOf,
  defaultAhatBitrate,
  defaultBitrate,
} from "../sensors/hololens/wire/configuration-defaults.ts";
import {
  openSubsystem,
  parseConfiguration,
  readOpening,
  readRequest,
} from "../sensors/hololens/wire/configuration-reading.ts";
import {
  packMixer,
  packRawAudio,
  unpackMixer,
  unpackRawAudio,
} from "../sensors/hololens/wire/extended-audio-codes.ts";
import { createArrayReader } from "../sensors/hololens/wire/grammar.ts";
import { type StreamFamily, streamPorts } from "../sensors/hololens/wire/ports.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import {
  encodeStart,
  selectionOfStart,
  startOfSource,
} from "../sensors/hololens/wire/subsystem.ts";
import { clockShiftOf, shiftedTimestamp } from "../sensors/hololens/wire/vlc-payload.ts";
import { bytesOf, hexOf, vector } from "./hololens-wire-vectors.ts";

const families = [...new Set(Object.values(streamPorts).map(({ family }) => family))];

// Configurations of which only what matters is said are, byte for byte, those of the reference.
const said: [string, StreamFamily, object][] = [
  ["config/rm_vlc/mode0/default", "vlc", { mode: 0 }],
  ["config/rm_vlc/mode1/default", "vlc", {}],
  ["config/rm_vlc/mode1/h264_main_2mbps_div2", "vlc", { divisor: 2, profile: 1, bitrate: 2 << 20 }],
  ["config/rm_vlc/mode0/raw", "vlc", { mode: 0, profile: 255 }],
  ["config/rm_vlc/mode0/user_options", "vlc", { mode: 0, options: [{ key: 13n, value: 26n }] }],
  ["config/rm_depth_ahat/mode1/default", "ahat", {}],
  ["config/rm_depth_ahat/mode1/zdepth_hevc", "ahat", { depthProfile: 1 }],
  ["config/rm_depth_ahat/mode0/raw", "ahat", { mode: 0, profile: 255 }],
  ["config/rm_depth_ahat/mode0/zdepth_rawab", "ahat", { mode: 0, depthProfile: 1, profile: 255 }],
  ["config/rm_depth_longthrow/mode1/default", "longthrow", {}],
  ["config/rm_imu/mode1", "imu", {}],
  ["config/pv/mode1/default_1080p30_hevc", "pv", {}],
  [
    "config/pv/mode0/760x428_15_raw_realtime",
    "pv",
    {
      ...{ mode: 0, width: 760, height: 428, framerate: 15, profile: 255 },
      options: [{ key: 0xffff_ffff_ffff_fffdn, value: 0n }],
    },
  ],
  ["config/extended_video/mode1/1280x720_30_hevc", "extended-video", { width: 1280, height: 720 }],
  ["config/microphone/aac_24000_default", "microphone", {}],
  ["config/extended_eye_tracker/fps30", "eye-tracker", {}],
  ["config/extended_audio/default_both_aac", "extended-audio", {}],
  ["config/spatial_input/none", "spatial-input", {}],
];

test.each(said)("%s by default", (name, family, given) => {
  const bytes = encodeConfiguration(family, configurationOf(family, given));
  expect(hexOf(bytes)).toBe(hexOf(bytesOf(vector(name))));
});

test("default bitrates", () => {
  expect(defaultBitrate({ width: 1280, height: 720, framerate: 30 }, 3)).toBe(2211840);
  expect(defaultBitrate({ width: 1280, height: 720, framerate: 30 }, 255)).toBe(331776000);
  expect(defaultBitrate({ width: 640, height: 480, framerate: 30 }, 0)).toBe(1474560);
  expect(defaultAhatBitrate(255, 0)).toBe(2264924160);
});

const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 65535 });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const f32 = fc.float({ noNaN: true });
const framed = {
  mode: fc.constantFrom(0 as const, 1 as const),
  divisor: fc.integer({ min: 1, max: 255 }),
};
const encoded = {
  profile: fc.constantFrom(0, 1, 2, 3, 255),
  level: u8,
  bitrate: fc.integer({ min: 1, max: 0xffffffff }),
};
const options = fc.array(fc.record({ key: u64, value: u64 }), { maxLength: 255 });
const format = { width: u16, height: u16, framerate: u8 };
const depthProfile = fc.constantFrom(0, 1);
const audio = fc.oneof(
  fc.record({ profile: fc.constantFrom(0, 1, 2, 3), level: fc.constantFrom(0x29, 0x2e, 0x33) }),
  fc.record({ profile: fc.constant(255), level: u8 }),
);

const anyConfiguration: { [F in StreamFamily]: fc.Arbitrary<Configurations[F]> } = {
  vlc: fc.record({ ...framed, ...encoded, options }),
  ahat: fc.record({ ...framed, depthProfile, ...encoded, options }),
  longthrow: fc.record({ ...framed, pngFilter: fc.integer({ min: 0, max: 6 }) }),
  imu: fc.record({ mode: framed.mode }),
  pv: fc.record({ ...framed, ...format, ...encoded, options }),
  microphone: audio,
  "spatial-input": fc.constant({}),
  "eye-tracker": fc.record({ fps: fc.constantFrom(30, 60, 90) }),
  "extended-audio": fc
    .tuple(
      fc.integer({ min: 0, max: 2 ** 30 - 1 }),
      fc.integer({ min: 0, max: 2 }),
      f32,
      f32,
      audio,
    )
    .map(([high, mode, loopbackGain, microphoneGain, encoding]) => ({
      ...{ mixerMode: high * 4 + mode, loopbackGain, microphoneGain },
      ...encoding,
    })),
  "extended-video": fc.record({ ...framed, ...format, ...encoded, options }),
  "extended-depth": fc.record({ ...framed, depthProfile, options }),
};

test.each(families)("%s: any configuration comes back, and ends nowhere sooner", (family) => {
  fc.assert(
    fc.property(anyConfiguration[family] as fc.Arbitrary<Configurations["pv"]>, (configuration) => {
      const bytes = encodeConfiguration(family as "pv", configuration);
      const { opening, request } = parseConfiguration(family, bytes);
      expect(request).toEqual({ kind: "stream", configuration } as typeof request);
      expect(opening.start).toBeNull();
      if (bytes.byteLength === 0) return;
      const short = bytes.subarray(0, Math.floor(bytes.byteLength / 2));
      expect(() => parseConfiguration(family, short)).toThrow(ProtocolError);
    }),
    { numRuns: 100 },
  );
});

describe("a server refuses", () => {
  /** A message with one byte changed; then how many bytes were read before it was refused. */
  function refusedAfter(family: StreamFamily, bytes: number[], subsystem = openSubsystem) {
    const reader = createArrayReader(Uint8Array.from(bytes), family);
    const { mode } = reader.read(readOpening(family));
    expect(() => reader.read(readRequest(family, { mode }, { subsystem }))).toThrow(ProtocolError);
    return bytes.length - reader.left;
  }

  // It reads no further than the first thing that does not hold.
  test.each<[string, StreamFamily, string, number]>([
    ["divisor 0", "vlc", "0100 03ff00400b00 00", 2],
    ["an unknown video profile", "vlc", "0101 04ff00400b00 00", 8],
    ["bitrate 0", "vlc", "0101 03ff00000000 00", 8],
    ["an unknown depth profile", "ahat", "0101 02 03ff00400b00 00", 3],
    ["an unknown PNG filter", "longthrow", "0101 07000000", 6],
    ["another eye tracker rate", "eye-tracker", "1f", 1],
    ["an unknown audio profile", "microphone", "0429", 2],
    ["an unknown AAC level", "microphone", "032d", 2],
    ["an unknown AAC level", "extended-audio", "020000000000803f0000803f 0328", 14],
  ])("%s on %s", (_, family, hex, read) => {
    const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    expect(refusedAfter(family, [...bytes, 0xaa])).toBe(read);
  });

  const pv = [...encodeConfiguration("pv", configurationOf("pv", { width: 1280, height: 720 }))];
  const fussy = {
    ...openSubsystem,
    supportsFormat: ({ width }: { width: number }) => width !== 1280,
  };

  test("a source that was not started, at once", () => {
    const off = { ...openSubsystem, on: false };
    expect(refusedAfter("pv", pv, off)).toBe(1);
    expect(refusedAfter("extended-video", pv, off)).toBe(1);
    expect(refusedAfter("pv", [2, ...pv.slice(1, 6)], off)).toBe(1);
  });

  test("a format, colour camera at once, external camera after all is read", () => {
    expect(refusedAfter("pv", pv, fussy)).toBe(6);
    expect(refusedAfter("extended-video", pv, fussy)).toBe(30);
    expect(refusedAfter("pv", [2, ...pv.slice(1, 6)], fussy)).toBe(6);
  });

  test("no format where the camera is shared", () => {
    const shared = { ...fussy, shared: true };
    expect(parseConfiguration("pv", Uint8Array.from(pv), shared).request.kind).toBe("stream");
  });

  test("a media index, of several the last one", () => {
    const indexed = (...indices: bigint[]) => [
      ...encodeConfiguration(
        "extended-depth",
        configurationOf("extended-depth", {
          options: indices.map((value) => ({ key: 0xffff_ffff_ffff_fffbn, value })),
        }),
      ),
    ];
    const one = { ...openSubsystem, supportsMedia: (index: bigint) => index === 13n };
    expect(refusedAfter("extended-depth", indexed(13n, 12n), one)).toBe(36);
    expect(refusedAfter("extended-depth", indexed(), one)).toBe(4);
    const fine = Uint8Array.from(indexed(12n, 13n));
    expect(parseConfiguration("extended-depth", fine, one).request.kind).toBe("stream");
  });
});

test("modes that start, stop and stream in one message", () => {
  const start = encodeStart({ shared: 1 }).subarray(1);
  const stream = encodeConfiguration("pv", configurationOf("pv")).subarray(1);
  const all = Uint8Array.from([1 | 4 | 8, ...start, ...stream]);
  const { opening, request } = parseConfiguration("pv", all);
  expect(opening).toMatchObject({
    mode: 1,
    stop: true,
    start: { shared: 1, globalOpacity: Math.fround(0.9) },
  });
  expect(request).toEqual({ kind: "stream", configuration: configurationOf("pv") });
  // Ports without a source take the two lowest bits alone.
  expect(parseConfiguration("imu", Uint8Array.of(0xfd))).toMatchObject({
    opening: { mode: 1, start: null, stop: false },
  });
});

test("single transfers and nothing", () => {
  const kinds = (byte: number) =>
    (["vlc", "ahat", "longthrow", "imu", "extended-video", "extended-depth"] as const).map(
      (family) => parseConfiguration(family, Uint8Array.of(byte)).request.kind,
    );
  expect(new Set(kinds(2).slice(0, 5))).toEqual(new Set(["transfer"]));
  expect(kinds(2)[5]).toBe("nothing");
  expect(new Set(kinds(3))).toEqual(new Set(["nothing"]));
});

test("indices of an external camera travel as floats", () => {
  const start = encodeStart(startOfSource({ group: 3, source: 1, profile: 7 }));
  const { opening } = parseConfiguration("extended-depth", start);
  expect(opening.start && selectionOfStart(opening.start)).toEqual({
    group: 3,
    source: 1,
    profile: 7,
  });
});

test("extended audio's packed numbers", () => {
  const mixer = { mode: 1, device: 1022, source: 1023, format: 1023 };
  expect(unpackMixer(packMixer(mixer))).toEqual(mixer);
  expect(unpackMixer(packMixer({ ...mixer, device: null })).device).toBeNull();
  expect(() => packMixer({ ...mixer, device: 1023 })).toThrow("device 1023; allowed: -1 to 1022");
  for (let level = 0; level < 256; level++) {
    expect(packRawAudio(unpackRawAudio(level))).toBe(level & ~0x10);
  }
});

test("what is encoded is checked in words", () => {
  const base = configurationOf("vlc");
  expect(() => encodeConfiguration("vlc", { ...base, divisor: 0 })).toThrow("divisor 0; allowed");
  expect(() => encodeConfiguration("vlc", { ...base, level: 256 })).toThrow(
    "level: 256 is no whole",
  );
  expect(() => encodeConfiguration("vlc", { ...base, profile: 9 })).toThrow("0 h264-baseline");
});

test("the grey cameras' clock shift", () => {
  const shift = { offset: -125_000n, factor: 0.5 };
  expect(clockShiftOf(clockOptions(shift))).toEqual(shift);
  expect(clockShiftOf([])).toEqual({ offset: 0n, factor: 0 });
  // 5990199 ns of exposure: 29950.995 units of 100 ns, of which the fraction goes.
  expect(shiftedTimestamp({ ticks: 1_000_000n, exposureNs: 5_990_199n }, shift)).toBe(
    1_000_000n - 125_000n + 29_950n,
  );
  expect(shiftedTimestamp({ ticks: 0n, exposureNs: 1n }, { offset: 5n, factor: Number.NaN })).toBe(
    5n,
  );
});
