/**
 * The simulator's grey and depth cameras show the scene at the moment of each packet, also after a round
 * and after pictures were left out.
 *
 * To see it fail: in rendered-loop.ts render `(index + 1) * periodSeconds`.
 */
import { expect, test } from "bun:test";
import { depthFormats } from "../sensors/hololens/simulator/camera-formats.ts";
import { openAhatSource } from "../sensors/hololens/simulator/media/ahat-source.ts";
import { openExtendedDepthSource } from "../sensors/hololens/simulator/media/extended-depth-source.ts";
import { type GreyStream, greyPicture } from "../sensors/hololens/simulator/media/grey-picture.ts";
import { openLongthrowSource } from "../sensors/hololens/simulator/media/longthrow-source.ts";
import { openVlcSource } from "../sensors/hololens/simulator/media/vlc-source.ts";
import type { Source } from "../sensors/hololens/simulator/source.ts";
import { cameraModels } from "../sensors/hololens/simulator/world/camera-models.ts";
import { cameraPoseAt } from "../sensors/hololens/simulator/world/motion.ts";
import { renderDepth } from "../sensors/hololens/simulator/world/rendering.ts";
import { inspectAccessUnit } from "../sensors/hololens/wire/access-unit.ts";
import { splitAhat } from "../sensors/hololens/wire/ahat-payload.ts";
import {
  unpackAhatAb,
  unpackAhatAbLuma,
  unpackAhatDepth,
} from "../sensors/hololens/wire/ahat-picture.ts";
import {
  depthProfiles,
  optionKeys,
  pngFilters,
  videoCodec,
  videoProfiles,
} from "../sensors/hololens/wire/codes.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { splitExtendedDepth } from "../sensors/hololens/wire/extended-depth-payload.ts";
import { decodeLongthrow, splitLongthrow } from "../sensors/hololens/wire/longthrow-payload.ts";
import { splitVlc } from "../sensors/hololens/wire/vlc-payload.ts";
import { decodeZdepth } from "../sensors/hololens/wire/zdepth.ts";
import { decodePictures, psnr } from "./decoded-pictures.ts";

const nothing = {
  videoFile: "",
  camera: { focus: 0, exposureTime: 0n, isoSpeed: 0, whiteBalance: 0 },
};
const gop = (size: bigint) => [{ key: optionKeys.gopSize, value: size }];

/** Of the frames with these numbers, counted in the device's time. */
async function take(source: Source, numbers: readonly number[]): Promise<Uint8Array[]> {
  const payloads = [];
  for (const [index, number] of numbers.entries()) {
    const seconds = number * source.periodSeconds;
    const ticks = BigInt(Math.round(seconds * 1e7));
    payloads.push((await source.payload({ index, ticks, seconds })) as Uint8Array);
  }
  source.close();
  return payloads;
}

const upTo = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

function grey(stream: GreyStream, seconds: number): Uint8Array {
  const picture = new Uint8Array(640 * 480);
  greyPicture(stream, seconds, picture);
  return picture;
}

function depthOf(stream: "depth-ahat" | "depth-longthrow", seconds: number) {
  const model = cameraModels[stream];
  const depth = new Uint16Array(model.width * model.height);
  const ab = new Uint16Array(depth.length);
  renderDepth(model, cameraPoseAt(stream, seconds), depth, ab);
  return { depth, ab };
}

function vlc(stream: GreyStream, profile: number, given: object = {}) {
  const configuration = configurationOf("vlc", { profile, options: gop(6n), ...given });
  return openVlcSource({ stream, configuration, ...nothing });
}

test.each([
  ["vlc-leftfront", videoProfiles["h265-main"]],
  ["vlc-rightright", videoProfiles["h264-main"]],
] as const)("%s, coded, over the end of a period", async (stream, profile) => {
  // 120 pictures are a period; 4000.1 s after the device's start, one is left out, then it goes on.
  const numbers = [...upTo(120_003, 8), ...upTo(120_115, 10)];
  const codec = videoCodec(profile) as "h264" | "h265";
  const parts = (await take(await vlc(stream, profile), numbers)).map((payload) => {
    return splitVlc(payload, { profile, where: stream }) as NonNullable<
      ReturnType<typeof splitVlc>
    >;
  });
  const images = parts.map(({ image }) => image);
  const pictures = await decodePictures(codec, images);
  for (const [i, { planes, type }] of pictures.entries()) {
    expect(psnr(planes[0], grey(stream, ((numbers[i] as number) % 120) / 30))).toBeGreaterThan(28);
    expect(psnr(planes[1], new Uint8Array(320 * 240).fill(128))).toBeGreaterThan(50);
    expect(type).not.toBe("B");
  }
  const keys = images.flatMap((image, i) => {
    return inspectAccessUnit(codec, image).keyFrame ? [numbers[i]] : [];
  });
  expect(keys).toEqual([120_003, 120_006, 120_115, 120_120]);
  expect(parts[0]?.footer.sensorTicks).toBe(BigInt(Math.round((120_003 / 30) * 1e7)) * 100n);

  // Again: what is kept gives the same pictures, and what is not kept whole is made anew.
  const again = await take(await vlc(stream, profile), upTo(120_006, 9));
  const decoded = await decodePictures(
    codec,
    again.map((payload) => payload.subarray(0, -24)),
  );
  for (const [i, { planes }] of decoded.entries()) {
    expect(psnr(planes[0], grey(stream, (6 + i) / 30))).toBeGreaterThan(28);
  }
});

test("raw grey pictures, with a divisor", async () => {
  const configured = { divisor: 7, options: [] };
  const numbers = [1, 2, 500, 501];
  const payloads = await take(await vlc("vlc-leftleft", videoProfiles.raw, configured), numbers);
  for (const [i, payload] of payloads.entries()) {
    const seconds = (((numbers[i] as number) * 7) % 120) / 30;
    expect(psnr(payload.subarray(0, -24), grey("vlc-leftleft", seconds))).toBeGreaterThan(60);
  }
});

const ahatVariants = Object.values(depthProfiles).flatMap((depthProfile) =>
  [videoProfiles.raw, videoProfiles["h264-baseline"], videoProfiles["h265-main"]].map(
    (profile) => [depthProfile, profile] as const,
  ),
);

test.each(ahatVariants)(
  "AHAT, depth profile %i and video profile %i",
  async (depthProfile, profile) => {
    const options = gop(4n);
    const configuration = configurationOf("ahat", { depthProfile, profile, options });
    const numbers = upTo(1805, 6);
    const source = await openAhatSource({ stream: "depth-ahat", configuration, ...nothing });
    const payloads = await take(source, numbers);
    const parts = payloads.map((payload) => {
      const split = splitAhat(payload, { depthProfile, profile, where: "AHAT" });
      return split as NonNullable<typeof split>;
    });
    const codec = videoCodec(profile);
    const pictures =
      codec === "raw"
        ? []
        : await decodePictures(
            codec,
            parts.map(({ ab }) => ab),
          );
    const size = { width: 512, height: 512 };
    for (const [i, part] of parts.entries()) {
      const seconds = ((numbers[i] as number) % 180) / 45;
      const shown = depthOf("depth-ahat", seconds);
      const depth = new Uint16Array(512 * 512);
      const ab = new Uint16Array(512 * 512);
      const planes = pictures[i]?.planes;
      if (planes) {
        const [y, u, v] = planes.map((data, k) => ({ data, stride: k === 0 ? 512 : 256 }));
        if (!y || !u || !v) throw new Error("three planes");
        if (depthProfile === depthProfiles.same) {
          unpackAhatDepth(y, size, depth);
          unpackAhatAb({ u, v }, size, ab);
        } else unpackAhatAbLuma(y, size, ab);
      } else new Uint8Array(ab.buffer).set(part.ab);
      if (depthProfile === depthProfiles.zdepth) {
        depth.set(decodeZdepth(part.depth, { expected: size, where: "Zdepth" }));
      } else if (!planes) new Uint8Array(depth.buffer).set(part.depth);

      if (depthProfile === depthProfiles.same && planes) {
        // Coarse by 4 and coded as a picture: beside the edges it is as good as its steps.
        const wrapped = shown.depth.map((value) => ((value >> 2) & 0xff) << 2);
        expect(psnr(depth, wrapped, 1023)).toBeGreaterThan(36);
        expect(middleError(depth, wrapped)).toBeLessThanOrEqual(4);
      } else if (depthProfile === depthProfiles.zdepth) {
        expect(
          largestError(
            depth,
            shown.depth.map((value) => (value <= 200 ? 0 : value)),
          ),
        ).toBeLessThanOrEqual(1);
      } else expect(depth).toEqual(shown.depth);

      if (!planes) expect(ab).toEqual(shown.ab);
      else expect(psnr(ab.map(Math.sqrt), shown.ab.map(Math.sqrt))).toBeGreaterThan(25);
      expect(part.sensorTicks).toBe(
        (BigInt(Math.round(((numbers[i] as number) / 45) * 1e7)) * 62976n) / 10000n,
      );
    }
  },
);

function errors(a: Uint16Array, b: Uint16Array): number[] {
  return Array.from(a, (value, i) => Math.abs(value - (b[i] as number))).sort((x, y) => x - y);
}
const largestError = (a: Uint16Array, b: Uint16Array) => errors(a, b).at(-1);
/** Of the pixels that are seen. */
function middleError(a: Uint16Array, b: Uint16Array): number {
  const seen = (values: Uint16Array) => values.filter((_, i) => b[i] !== 0);
  const sorted = errors(seen(a), seen(b));
  return sorted[sorted.length >> 1] as number;
}

test("long throw is exact, whatever the filter", async () => {
  for (const pngFilter of Object.values(pngFilters)) {
    const configuration = configurationOf("longthrow", { pngFilter });
    const source = await openLongthrowSource({
      stream: "depth-longthrow",
      configuration,
      ...nothing,
    });
    const [payload] = await take(source, [27]);
    const { png, sensorTicks } = splitLongthrow(payload as Uint8Array, "PNG");
    const { depth, ab } = decodeLongthrow(png, "PNG");
    expect({ depth, ab }).toEqual(depthOf("depth-longthrow", 7 / 5));
    expect(sensorTicks).toBe(27n * 12_595_200n);
  }
});

test.each(Object.values(depthProfiles))(
  "extended depth, depth profile %i",
  async (depthProfile) => {
    const mediaIndex = depthFormats.findIndex(({ width }) => width < 640);
    const { width, height, framerate } = depthFormats[mediaIndex] as (typeof depthFormats)[number];
    const options = [{ key: optionKeys.mediaIndex, value: BigInt(mediaIndex) }];
    const configuration = configurationOf("extended-depth", { depthProfile, options });
    const source = await openExtendedDepthSource({
      stream: "extended-depth",
      configuration,
      ...nothing,
    });
    expect(source.periodSeconds).toBeCloseTo(1 / framerate, 12);
    const [first, later] = await take(source, [1, 4 * framerate + 1]);
    expect(later).toEqual(first as Uint8Array);
    const where = "depth";
    const { depth, ...size } = splitExtendedDepth(first as Uint8Array, { depthProfile, where });
    expect(size).toEqual({ width, height });
    const values =
      depthProfile === depthProfiles.zdepth
        ? decodeZdepth(depth, { expected: size, where })
        : new Uint16Array(depth.slice().buffer);
    const seen = values.filter((value) => value > 300 && value < 8000);
    expect(seen.length).toBeGreaterThan(0.8 * values.length);
  },
);

test("a format that the camera lacks is refused", async () => {
  const configuration = configurationOf("extended-depth");
  const setup = { stream: "extended-depth", configuration, ...nothing } as const;
  await expect(openExtendedDepthSource(setup)).rejects.toThrow(
    /media index 4294967295; allowed: 0 to/,
  );
});
