/** Damaged payloads of pictures, 20,000 for each family: see hololens-streams-fuzz.ts. */
import { ahatReceiving } from "../sensors/hololens/streams/ahat.ts";
import { extendedVideoReceiving } from "../sensors/hololens/streams/extended-video.ts";
import { pvReceiving } from "../sensors/hololens/streams/pv.ts";
import { encodeAhatPayload } from "../sensors/hololens/wire/ahat-payload.ts";
import { encodeVideoPayload, videoFooter } from "../sensors/hololens/wire/video-payload.ts";
import { encodeZdepth } from "../sensors/hololens/wire/zdepth.ts";
import { encode } from "./hololens-encodings.ts";
import { fuzzFamily, payloadOf, type Variant } from "./hololens-streams-fuzz.ts";
import { noise } from "./hololens-wire-fuzz.ts";
import { byRule } from "./hololens-wire-vectors.ts";

const noFooter = videoFooter.parse(new Uint8Array(videoFooter.bytes), "test");
const small = { width: 64, height: 48 };
const framed = (unit: Uint8Array) => encodeVideoPayload(unit, { ...noFooter, ...small });
const encoded = async (codec: "h264" | "h265") => {
  return (await encode({ codec, ...small, frames: 4, gop: 2 })).map(framed);
};
const [h264, h265] = [await encoded("h264"), await encoded("h265")];

const pv = { receiving: pvReceiving, stream: "pv" } as const;
const extended = { receiving: extendedVideoReceiving, stream: "extended-video" } as const;
const near = { receiving: ahatReceiving, stream: "depth-ahat", rings: 2 } as const;

const side = { width: 512, height: 512 };
const depth = byRule(side, (row, column) => 250 + ((row + column) % 9));
const [nearH264, nearH265] = ["h264", "hevc"].map((codec) =>
  payloadOf(`packet/rm_depth_ahat/${codec}_flat_mode0`),
) as [Uint8Array, Uint8Array];
const zdepth = encodeAhatPayload(
  {
    depth: encodeZdepth(depth, { ...side, frame: 1 }),
    ab: nearH265.subarray(8, -8),
    sensorTicks: 5n,
  },
  { depthProfile: 1, profile: 3 },
);

const colour: Variant<"pv">[] = [
  { ...pv, keys: { pv: { profile: "h264-main" } }, seeds: h264, mutants: 9000 },
  { ...pv, keys: { pv: { profile: "h265-main" } }, seeds: h265, mutants: 9000 },
  { ...pv, keys: { pv: { profile: "raw" } }, seeds: [framed(noise(4608, 1))], mutants: 2000 },
];
const rawKeys = { extendedVideo: { profile: "raw", pixelFormat: "nv12" } };
const extendedVideo: Variant<"extended-video">[] = [
  { ...extended, seeds: h265, mutants: 10_000 },
  { ...extended, keys: rawKeys, seeds: [framed(noise(6144, 1))], mutants: 10_000 },
];
const nearDepth: Variant<"ahat">[] = [
  { ...near, keys: { ahat: { profile: "h264-main" } }, seeds: [nearH264], mutants: 5000 },
  { ...near, seeds: [nearH265], mutants: 12_000 },
  { ...near, keys: { ahat: { depthProfile: "zdepth" } }, seeds: [zdepth], mutants: 3000 },
];

fuzzFamily("colour video", colour);
fuzzFamily("extended video", extendedVideo);
fuzzFamily("near depth", nearDepth);
