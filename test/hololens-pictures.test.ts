// What comes out of the decoders for the coded vectors: every pixel, in the ring.
import { afterEach, expect, test } from "bun:test";
import { pvReceiving } from "../sensors/hololens/streams/pv.ts";
import type { StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import { vlcReceiving } from "../sensors/hololens/streams/vlc.ts";
import type { StreamFamily } from "../sensors/hololens/wire/ports.ts";
import { type Opened, StreamRig } from "./hololens-streams-rig.ts";
import { bytesOf, vector } from "./hololens-wire-vectors.ts";

let rig: StreamRig | null = null;
afterEach(() => rig?.close());

async function open<F extends StreamFamily>(receiving: StreamReceiving<F>, opened: Opened) {
  rig = new StreamRig(opened);
  await rig.open(receiving);
  return rig;
}

function payloadOf(name: string): Uint8Array {
  const one = vector(name);
  return bytesOf(one).subarray(12, one.hasPose ? -64 : undefined);
}

const codecs = [
  ["h264", "h264-main"],
  ["hevc", "h265-main"],
] as const;

test.each(codecs)("pv, %s", async (codec, profile) => {
  const one = vector(`packet/pv/${codec}_424x240_flat_mode1`);
  const keys = { pv: { width: 424, height: 240, profile } };
  const { published, context } = await open(pvReceiving, { family: "pv", stream: "pv", keys });
  rig?.take(payloadOf(one.name), 9n, Float32Array.from(one.fields.pose.flat()));
  const [frame] = published;
  expect(frame?.shape).toEqual([240, 424, 3]);
  expect([...(frame?.bytes.subarray(0, 3) ?? [])]).toEqual(one.fields.decodedBgr24FirstPixel);
  expect(new Set(frame?.bytes).size).toBe(1);
  expect(frame?.fields).toMatchObject({
    key_frame: 1,
    pose_valid: 1,
    pose: one.fields.pose.flat(),
  });
  expect(context.counters).toEqual({});
});

test.each(codecs)("grey camera, %s", async (codec, profile) => {
  const one = vector(`packet/rm_vlc/${codec}_flat_mode0`);
  const keys = { vlc: { profile }, pose: false };
  const { published } = await open(vlcReceiving, { family: "vlc", stream: "vlc-leftfront", keys });
  rig?.take(payloadOf(one.name), 9n);
  const [frame] = published;
  expect(frame?.shape).toEqual([480, 640]);
  expect(new Set(frame?.bytes)).toEqual(new Set([57]));
  const { sensorTicks, exposure, gain } = one.fields.footer;
  expect(frame?.fields).toMatchObject({
    sensor_ticks: BigInt(sensorTicks),
    exposure: BigInt(exposure),
    gain,
  });
});
