// Vectors of single transfers: calibrations and device lists.
import { describe, expect, test } from "bun:test";
import { createByteReader } from "../sensors/hololens/wire/byte-reader.ts";
import {
  calibrations,
  extrinsicsOf,
  imuCalibration,
  intrinsicsMatrix,
  pvCalibration,
  pvIntrinsicsMatrix,
} from "../sensors/hololens/wire/calibration.ts";
import {
  cameraChoices,
  encodeList,
  encodeListText,
  parseAudioList,
  parseCameraList,
  readListText,
} from "../sensors/hololens/wire/device-list.ts";
import { parseExactly, value } from "../sensors/hololens/wire/grammar.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import type { Holds } from "./hololens-wire-hold.ts";
import {
  bytesOf,
  hexOf,
  pieces,
  plain,
  rows,
  sha256Of,
  type Vector,
  vectorsOf,
} from "./hololens-wire-vectors.ts";

/** Element i has the value i. */
function ramp(count: number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer);
}

/** The values that the vector names, by the same names: `uv2xy[row][column]`, `extrinsics[row]`. */
function holdRamp(stream: "vlc-leftfront" | "depth-ahat" | "depth-longthrow", one: Vector): void {
  const { rule: _, floatCount, intrinsics, scale, alias, ...named } = one.fields;
  const bytes = ramp(floatCount);
  expect([bytes.byteLength, sha256Of(bytes)]).toEqual([one.bytes, one.sha256 ?? ""]);
  const layout = calibrations[stream];
  const values = layout.parse(bytes, one.name) as ReturnType<
    (typeof calibrations)["depth-ahat"]["parse"]
  >;
  const width = { "vlc-leftfront": 640, "depth-ahat": 512, "depth-longthrow": 320 }[stream];
  for (const [name, wanted] of Object.entries(named)) {
    const [row = 0, column = 0] = [...name.matchAll(/\[(\d+)\]/g)].map(([, n]) => Number(n));
    const at = row * width + column;
    if (name.startsWith("extrinsics"))
      expect(rows(values.extrinsics)[row]).toEqual(wanted as number[]);
    else if (name.startsWith("uv2xy"))
      expect([values.uv2x[at], values.uv2y[at]]).toEqual(wanted as number[]);
    else expect([values.undistortX[at], values.undistortY[at]]).toEqual(wanted as number[]);
  }
  expect([values.scale, values.alias]).toEqual([scale, alias]);
  expect(rows(intrinsicsMatrix(values.intrinsics))).toEqual(intrinsics);
  expect(sha256Of((layout as (typeof calibrations)["depth-ahat"]).encode(values))).toBe(
    one.sha256 ?? "",
  );
}

const holds: Holds = {
  "mode2/rm_vlc/ramp": (one) => holdRamp("vlc-leftfront", one),
  "mode2/rm_depth_ahat/ramp": (one) => holdRamp("depth-ahat", one),
  "mode2/rm_depth_longthrow/ramp": (one) => holdRamp("depth-longthrow", one),

  "mode2/rm_imu"(one) {
    const values = imuCalibration.parse(bytesOf(one), one.name);
    expect(rows(values.extrinsics)).toEqual(one.fields.extrinsics);
    expect(hexOf(imuCalibration.encode(values))).toBe(hexOf(bytesOf(one)));
  },

  "mode2/pv"(one) {
    const values = pvCalibration.parse(bytesOf(one), one.name);
    const { fields } = one;
    const { projection, extrinsics, mediaIntrinsics, mediaExtrinsics, ...rest } = values;
    expect(rows(projection)).toEqual(fields.projection);
    expect(rows(extrinsics)).toEqual(fields.extrinsics);
    expect(
      plain({ ...rest, intrinsicsMf: mediaIntrinsics, extrinsicsMf: mediaExtrinsics }),
    ).toMatchObject({
      focalLength: fields.focalLength,
      principalPoint: fields.principalPoint,
      radialDistortion: fields.radialDistortion,
      tangentialDistortion: fields.tangentialDistortion,
      intrinsicsMf: fields.intrinsicsMf,
      extrinsicsMf: fields.extrinsicsMf,
    });
    const derived = pvIntrinsicsMatrix(values.focalLength, values.principalPoint);
    expect(rows(derived)).toEqual(fields.derivedIntrinsics);
    const [x = 0, y = 0, z = 0, qx = 0, qy = 0, qz = 0, qw = 0] = mediaExtrinsics;
    const built = extrinsicsOf({ position: [x, y, z], rotation: [qx, qy, qz, qw] });
    expect(rows(built.map((one) => one + 0))).toEqual(fields.extrinsics); // + 0: of -0 and 0
    expect(hexOf(pvCalibration.encode(values))).toBe(hexOf(bytesOf(one)));
  },

  "mode2/extended_video_devicelist"(one) {
    const text = parseExactly(readListText(one.name), bytesOf(one), one.name);
    expect(text).toBe(one.fields.utf16leText);
    expect(hexOf(encodeListText(text))).toBe(hexOf(bytesOf(one)));
    const groups = parseCameraList(text, one.name);
    expect(groups).toEqual([{ DisplayName: "Cam é", Id: "x" }]);
    expect(hexOf(encodeList(groups))).toBe(hexOf(bytesOf(one)));
  },
};

test.each(vectorsOf("calibration").map((one) => [one.name, one] as const))(
  "%s",
  async (name, one) => {
    const hold = holds[name];
    if (!hold) throw new Error(`nothing holds ${name}`);
    await hold(one);
  },
);

test.each(Object.entries(calibrations))("%s has exactly its size", async (stream, layout) => {
  const bytes = new Uint8Array(layout.bytes);
  const read = async (given: Uint8Array) => {
    const reader = createByteReader(pieces(given, 65536), stream);
    const values = await reader.read(value(layout as typeof imuCalibration));
    await reader.end();
    return values;
  };
  expect(await read(bytes)).not.toBeNull();
  // The magnetometer's answer, and that of a source which is off: nothing.
  expect(await read(new Uint8Array(0))).toBeNull();
  await expect(read(new Uint8Array(bytes.byteLength + 1))).rejects.toThrow(
    "more bytes after the end",
  );
  await expect(read(bytes.subarray(1))).rejects.toThrow("ended inside a message");
});

test("extrinsics of a turned camera bring its own place to the origin", () => {
  const quarter = Math.SQRT1_2;
  const matrix = extrinsicsOf({ position: [1, 2, 3], rotation: [0, quarter, 0, quarter] });
  const [x, y, z] = [0, 1, 2].map(
    (column) =>
      (matrix[column] as number) +
      2 * (matrix[4 + column] as number) +
      3 * (matrix[8 + column] as number) +
      (matrix[12 + column] as number),
  );
  for (const coordinate of [x, y, z]) expect(coordinate).toBeCloseTo(0, 6);
});

describe("device lists", () => {
  const format = { Width: 1280, Height: 720, FrameRate: 30, Subtype: "NV12" };
  const camera = {
    ...{ MediaStreamType: 1, MediaSourceKind: 1, Id: "s", ProfileId: "p1" },
    VideoProfileMediaDescription: [format, { ...format, Subtype: "MJPG" }],
  };
  const group = {
    ...{ DisplayName: "Cäm", Id: "g" },
    SourceInfos: [{ ...camera, MediaSourceKind: 2 }, camera],
    VideoProfiles: [{ Id: "p0" }, { Id: "p1" }],
  };

  const textOf = (bytes: Uint8Array) => parseExactly(readListText("list"), bytes, "list");

  test("cameras come back, and those that can be streamed are chosen", () => {
    const groups = parseCameraList(
      textOf(encodeList([group, { ...group, VideoProfiles: [] }])),
      "list",
    );
    expect(groups).toEqual([group, { ...group, VideoProfiles: [] }]);
    const choice = {
      name: "Cäm",
      width: 1280,
      height: 720,
      framerate: 30,
      subtype: "NV12",
    } as const;
    expect(cameraChoices(groups)).toEqual([
      { ...choice, group: 0, source: 1, profile: 1 },
      { ...choice, group: 1, source: 1, profile: 0 },
    ]);
  });

  test("microphones come back, also those that could not be opened", () => {
    const sound = { SampleRate: 48000, ChannelCount: 2, Subtype: "Float", BitsPerSample: 32 };
    const source = { MediaStreamType: 2, MediaSourceKind: 4, Id: "s", SupportedFormats: [sound] };
    const devices = [
      { Id: "a", Name: "A", FrameSources: [source] },
      { Id: "b", Name: "B", FrameSources: null },
    ];
    expect(parseAudioList(textOf(encodeList(devices)), "list")).toEqual(devices);
  });

  test.each([
    ["an odd size", "03000000 7b007d", "a device list of 3 bytes; allowed: an even number"],
    ["a size without bound", "feffffff", "a device list of 4294967294 bytes"],
    ["half a surrogate pair", "02000000 00d8", "no UTF-16"],
  ])("%s is refused", (_, hex, words) => {
    const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    expect(() => textOf(bytes)).toThrow(words);
  });

  test.each([
    ["no JSON", "{", "that is no JSON"],
    ["nested without end", "[".repeat(1_000_000), "that is no JSON"],
    [
      "a list with a gap",
      '{"0":{"DisplayName":"a","Id":"b"},"2":{"DisplayName":"a","Id":"b"}}',
      "gaps",
    ],
    ["a member of another type", '{"0":{"DisplayName":1,"Id":"b"}}', "0.DisplayName is wrong"],
    ["no object", "[]", "root is wrong"],
  ])("%s is refused", (_, text, words) => {
    expect(() => parseCameraList(text, "list")).toThrow(ProtocolError);
    expect(() => parseCameraList(text, "list")).toThrow(words);
  });
});
