/** Damaged payloads of depth and sound, 20,000 for each family: see hololens-streams-fuzz.ts. */
import { extendedAudioReceiving, microphoneReceiving } from "../sensors/hololens/streams/audio.ts";
import { extendedDepthReceiving } from "../sensors/hololens/streams/extended-depth.ts";
import { longthrowReceiving } from "../sensors/hololens/streams/longthrow.ts";
import { encodeExtendedDepthPayload } from "../sensors/hololens/wire/extended-depth-payload.ts";
import {
  encodeLongthrow,
  encodeLongthrowPayload,
} from "../sensors/hololens/wire/longthrow-payload.ts";
import { fuzzFamily, payloadOf } from "./hololens-streams-fuzz.ts";
import { noise } from "./hololens-wire-fuzz.ts";
import { bytesOf, vector } from "./hololens-wire-vectors.ts";

const far = { receiving: longthrowReceiving, stream: "depth-longthrow" } as const;
const extended = { receiving: extendedDepthReceiving, stream: "extended-depth" } as const;
const microphone = { receiving: microphoneReceiving, stream: "microphone" } as const;
const heard = { receiving: extendedAudioReceiving, stream: "extended-audio" } as const;

const [depth, ab] = [1, 2].map((seed) => new Uint16Array(noise(20 * 18 * 2, seed).buffer)) as [
  Uint16Array,
  Uint16Array,
];
const png = encodeLongthrow({ width: 20, height: 18, depth, ab }, 6);
const size = { width: 24, height: 16 };
const zdepth = ["ramp", "holes", "far"].map((name) =>
  encodeExtendedDepthPayload(bytesOf(vector(`codec/zdepth/${name}_24x16`)), size),
);
const same = { extendedDepth: { depthProfile: "same" } };
const plain = encodeExtendedDepthPayload(noise(24 * 16 * 2, 1), size);
const aac = [payloadOf("packet/microphone/aac_adts_one_frame")];
const array = { microphone: { profile: "raw", array: true } };
const stereo = { extendedAudio: { profile: "raw" } };
const device = { extendedAudio: { profile: "raw", passthrough: true } };

fuzzFamily("far depth", [
  {
    ...{ ...far, rings: 2, mutants: 20_000 },
    seeds: [encodeLongthrowPayload({ png, sensorTicks: 1n })],
  },
]);
fuzzFamily("extended depth", [
  { ...extended, seeds: zdepth, mutants: 14_000 },
  { ...extended, keys: same, seeds: [plain], mutants: 6000 },
]);
fuzzFamily("microphone", [
  { ...microphone, seeds: aac, mutants: 14_000 },
  { ...microphone, keys: array, seeds: [noise(20 * 30, 1)], mutants: 6000 },
]);
fuzzFamily("extended audio", [
  { ...heard, seeds: aac, mutants: 10_000 },
  { ...heard, keys: stereo, seeds: [noise(4 * 30, 1)], mutants: 8000 },
  { ...heard, keys: device, seeds: [noise(100, 1)], mutants: 2000 },
]);
