// Vectors of packets that are no pictures, of time and recordings, in both directions.
import { expect, test } from "bun:test";
import { encodeAdts, parseAdts } from "../sensors/hololens/wire/adts.ts";
import {
  deinterleave,
  interleave,
  microphoneFormat,
  parseSamples,
} from "../sensors/hololens/wire/audio-payload.ts";
import { createByteReader } from "../sensors/hololens/wire/byte-reader.ts";
import {
  filetimeOf,
  filetimeOfUnix,
  secondsOf,
  unixTicksOf,
} from "../sensors/hololens/wire/device-time.ts";
import {
  type EyeTrackerReading,
  eyeTrackerReading,
  validEyeBitsOf,
} from "../sensors/hololens/wire/eye-tracker.ts";
import { encodeImu, parseImu, spreadSocTicks } from "../sensors/hololens/wire/imu.ts";
import { readPacket } from "../sensors/hololens/wire/packet.ts";
import { streamPorts } from "../sensors/hololens/wire/ports.ts";
import { poseIsValid } from "../sensors/hololens/wire/pose.ts";
import { viewOf } from "../sensors/hololens/wire/record.ts";
import { encodeRecording, parseRecording } from "../sensors/hololens/wire/recording.ts";
import { spatialInput, validBitsOf } from "../sensors/hololens/wire/spatial-input.ts";
import { anything, type Holds, holdPacket } from "./hololens-wire-hold.ts";
import { bytesOf, hexOf, pieces, plain, type Vector, vectorsOf } from "./hololens-wire-vectors.ts";

function holdBare(one: Vector): void {
  const { payload, pose } = holdPacket(one);
  expect(hexOf(payload)).toBe(one.fields.payload);
  if (pose) expect(poseIsValid(pose)).toBe(one.fields.poseValid);
}

function holdImu(one: Vector): void {
  const { payload } = holdPacket(one);
  const samples = parseImu(payload);
  const { fields } = one;
  const wanted = fields.samples.map((sample: Record<string, unknown>) => ({
    ...{ sensorTicks: sample.vinylHupTicks, socTicks: sample.socTicks },
    ...{ xyz: [sample.x, sample.y, sample.z], temperature: sample.temperature },
  }));
  expect(samples.map(plain)).toEqual(wanted);
  expect(hexOf(encodeImu(samples))).toBe(hexOf(payload));
  const spread = payload.slice();
  spreadSocTicks(spread);
  expect(parseImu(spread).map(({ socTicks }) => String(socTicks))).toEqual(
    fields.socTicksAfterClientPatch,
  );
}

function holdSpatialInput(one: Vector): void {
  const { payload } = holdPacket(one);
  const values = spatialInput.parse(payload, one.name);
  const { fields } = one;
  const joints = (hand: (typeof values)["handLeft"]) => ({
    joint0: plain(hand[0]),
    joint25: plain(hand[25]),
  });
  expect(values.valid).toBe(fields.valid);
  expect(validBitsOf(viewOf(payload))).toBe(fields.valid);
  expect({
    head: { position: values.headPosition, forward: values.headForward, up: values.headUp },
    eye: { origin: values.eyeOrigin, direction: values.eyeDirection },
    ...{ handLeft: joints(values.handLeft), handRight: joints(values.handRight) },
  }).toEqual({
    ...{ head: fields.head, eye: fields.eye },
    ...{ handLeft: fields.handLeft, handRight: fields.handRight },
  });
  expect(hexOf(spatialInput.encode(values))).toBe(hexOf(payload));
}

function holdEyeTracker(one: Vector): void {
  const { payload } = holdPacket(one);
  const reading = eyeTrackerReading.parse(payload, one.name);
  const { timestamp: _, payloadSize: __, pose: ___, ...wanted } = one.fields;
  expect(reading).toEqual(wanted as EyeTrackerReading);
  expect(validEyeBitsOf(viewOf(payload))).toBe(wanted.valid);
  expect(hexOf(eyeTrackerReading.encode(reading))).toBe(hexOf(payload));
}

const holds: Holds = {
  "packet/mode0_payload4": holdBare,
  "packet/mode1_payload4_pose": holdBare,
  "packet/mode1_payload4_pose_invalid": holdBare,
  "packet/mode0_empty_payload": holdBare,
  async "packet/two_back_to_back_mode0"(one) {
    for (const size of [1, 5, 13, 27]) {
      const reader = createByteReader(pieces(bytesOf(one), size), one.name, { reuse: true });
      for (const wanted of [one.fields.first, one.fields.second]) {
        const packet = await reader.read(readPacket({ ...anything, pose: false }));
        if (!packet) throw new Error("ended");
        expect({ timestamp: String(packet.timestamp), payload: hexOf(packet.payload) }).toEqual(
          wanted,
        );
      }
      expect(await reader.read(readPacket({ ...anything, pose: false }))).toBeNull();
    }
  },
  "packet/rm_imu/distinct_soc_mode1": holdImu,
  "packet/rm_imu/equal_soc_patched_mode1": holdImu,
  "packet/spatial_input/both_hands": holdSpatialInput,
  "packet/spatial_input/head_only_no_hands": holdSpatialInput,
  "packet/spatial_input/nothing_valid": holdSpatialInput,
  "packet/extended_eye_tracker/valid_rays": holdEyeTracker,
  "packet/extended_eye_tracker/no_reading": holdEyeTracker,

  "packet/microphone/raw_stereo_s16"(one) {
    const { payload } = holdPacket(one, { profile: 255 });
    const format = { encoding: "s16", channels: 2 } as const;
    expect(microphoneFormat({ profile: 255, level: 0x29 })).toEqual(format);
    const samples = parseSamples(payload, format, one.name) as Int16Array;
    expect([...samples]).toEqual(one.fields.interleaved);
    const planar = new Int16Array(samples.length);
    deinterleave(samples, 2, planar);
    expect([...planar]).toEqual([...one.fields.left, ...one.fields.right]);
    const back = new Int16Array(samples.length);
    interleave(planar, 2, back);
    expect([...back]).toEqual([...samples]);
  },

  "packet/microphone/raw_array5_f32"(one) {
    const { payload } = holdPacket(one, { profile: 255, level: 0x2b });
    const format = { encoding: "f32", channels: 5 } as const;
    expect(microphoneFormat({ profile: 255, level: 0x2b })).toEqual(format);
    const samples = parseSamples(payload, format, one.name) as Float32Array;
    expect([...samples]).toEqual(one.fields.interleaved);
    const planar = new Float32Array(samples.length);
    deinterleave(samples, 5, planar);
    expect([...planar]).toEqual(one.fields.channels.flat());
  },

  "packet/microphone/aac_adts_one_frame"(one) {
    const { payload } = holdPacket(one);
    const { sampleRate, channels, adtsHeader } = one.fields;
    const frame = parseAdts(payload, one.name);
    expect(frame).toMatchObject({ sampleRateHz: sampleRate, channels, objectType: 2 });
    const encoded = encodeAdts(frame);
    // The buffer's fullness is the encoder's own matter: the last bits of byte 5 and byte 6.
    expect(hexOf(encoded.subarray(0, 5))).toBe(adtsHeader.slice(0, 10));
    expect(hexOf(encoded.subarray(7))).toBe(hexOf(payload.subarray(7)));
    expect(parseAdts(encoded, one.name)).toEqual(frame);
  },

  "time/qpc_to_unix"({ fields }) {
    const filetime = filetimeOf(BigInt(fields.qpc), BigInt(fields.utcOffset));
    expect(String(filetime)).toBe(fields.filetime);
    expect(String(unixTicksOf(filetime))).toBe(fields.unixHns);
    expect(secondsOf(unixTicksOf(filetime))).toBe(fields.unixSeconds);
    expect(filetimeOfUnix(unixTicksOf(filetime))).toBe(filetime);
  },

  "file/rm_imu_recording_one_packet"(one) {
    const { stream, user, request, packets } = parseRecording(bytesOf(one));
    const { port, config } = one.fields;
    expect(streamPorts[stream].port).toBe(port);
    expect(Buffer.from(user).toString()).toBe(one.fields.user);
    expect(request.configuration).toEqual(config);
    expect(packets.length).toBe(one.fields.packets);
    const file = encodeRecording(stream, {
      configuration: Uint8Array.of(config.mode),
      user,
      packets,
    });
    expect(hexOf(file)).toBe(hexOf(bytesOf(one)));
    // The packet at its end is cut: it does not count.
    expect(parseRecording(file.subarray(0, -1)).packets).toEqual([]);
  },
};

test.each(vectorsOf("packets").map((one) => [one.name, one] as const))("%s", async (name, one) => {
  const hold = holds[name];
  if (!hold) throw new Error(`nothing holds ${name}`);
  await hold(one);
});
