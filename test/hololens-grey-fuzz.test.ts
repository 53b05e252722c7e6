/** Damaged payloads of grey cameras: see hololens-streams-fuzz.ts. A file of its own, for it takes long. */
import { vlcReceiving } from "../sensors/hololens/streams/vlc.ts";
import { encodeVlcPayload } from "../sensors/hololens/wire/vlc-payload.ts";
import { fuzzFamily, payloadOf, type Variant } from "./hololens-streams-fuzz.ts";
import { noise } from "./hololens-wire-fuzz.ts";

const grey = { receiving: vlcReceiving, stream: "vlc-leftfront" } as const;
const footer = { sensorTicks: 1n, exposure: 2n, gain: 3 };
const greyRaw = encodeVlcPayload(noise(640 * 480, 1), footer);
const greyCamera: Variant<"vlc">[] = [
  {
    ...{ ...grey, keys: { vlc: { profile: "h264-main" } }, mutants: 5000 },
    seeds: [payloadOf("packet/rm_vlc/h264_flat_mode0")],
  },
  { ...grey, seeds: [payloadOf("packet/rm_vlc/hevc_flat_mode0")], mutants: 14_800 },
  { ...grey, keys: { vlc: { profile: "raw" } }, seeds: [greyRaw], mutants: 200 },
];

fuzzFamily("grey camera", greyCamera);
