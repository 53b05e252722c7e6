// What is no packet, damaged: requests, remote configuration, single transfers, recordings.
import { describe, expect, test } from "bun:test";
import { imuCalibration, pvCalibration } from "../sensors/hololens/wire/calibration.ts";
import { encodeConfiguration } from "../sensors/hololens/wire/configuration.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { readOpening, readRequest } from "../sensors/hololens/wire/configuration-reading.ts";
import {
  cameraChoices,
  encodeList,
  parseAudioList,
  parseCameraList,
  readListText,
} from "../sensors/hololens/wire/device-list.ts";
import { hasMode, type StreamFamily } from "../sensors/hololens/wire/ports.ts";
import { viewOf } from "../sensors/hololens/wire/record.ts";
import { parseRecording } from "../sensors/hololens/wire/recording.ts";
import {
  type CommandName,
  parseCommands,
  readReply,
} from "../sensors/hololens/wire/remote-configuration.ts";
import { encodeStart } from "../sensors/hololens/wire/subsystem.ts";
import { createMutator, fuzz, noise, readBounded, tryParse } from "./hololens-wire-fuzz.ts";
import { bytesOf, vector, vectors } from "./hololens-wire-vectors.ts";

const mutants = 20_000;
const where = "fuzz";

// What a hostile client sends to the simulator.
describe.each<StreamFamily>([
  ...(["vlc", "ahat", "longthrow", "imu", "pv", "microphone"] as const),
  ...(["eye-tracker", "extended-audio", "extended-video", "extended-depth"] as const),
])("configuration of %s", (family) => {
  function* both() {
    const opening = yield* readOpening(family);
    return yield* readRequest(family, opening);
  }
  const read = (bytes: Uint8Array) => readBounded(both, bytes, 255 * 16);
  const message = encodeConfiguration(family as "pv", configurationOf(family as "pv"));
  const seeds = hasMode(family) ? [message, encodeStart(), Uint8Array.of(2)] : [message];

  test("mutants", () => {
    const counts = fuzz(read, { seeds, mutants, mutate: createMutator(4) });
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(0);
  });

  test("cut at every byte", () => {
    const counts = { accepted: 0, refused: 0 };
    for (let cut = 0; cut < message.byteLength; cut++)
      tryParse(read, message.subarray(0, cut), counts);
    expect(counts).toEqual({ accepted: 0, refused: message.byteLength });
  });
});

describe("remote configuration", () => {
  const requests = vectors.filter(({ name }) => name.startsWith("rc/request/")).map(bytesOf);

  test("mutants of commands", () => {
    const counts = fuzz(parseCommands, { seeds: requests, mutants, mutate: createMutator(5) });
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(0);
  });

  test("commands cut at every byte", () => {
    for (const request of requests) {
      const counts = { accepted: 0, refused: 0 };
      for (let cut = 1; cut < request.byteLength; cut++) {
        tryParse(parseCommands, request.subarray(0, cut), counts);
      }
      expect(counts).toEqual({ accepted: 0, refused: Math.max(0, request.byteLength - 1) });
    }
  });

  test("mutants of replies: any bytes of the right number are one", () => {
    const asked: [CommandName, object][] = [
      ["applicationVersion", {}],
      ["utcOffset", {}],
      ["pvStatus", {}],
      ["mapCameraPoints", { port: 3800, operation: 0, points: [[1, 2]] }],
      ["rigNodePoses", { timestamps: [1n, 2n] }],
    ];
    for (const [name, values] of asked) {
      const read = (bytes: Uint8Array) =>
        readBounded(() => readReply(name, values as never), bytes, 128);
      fuzz(read, {
        seeds: [noise(8, 6), noise(128, 7)],
        mutants: mutants / 5,
        mutate: createMutator(6),
      });
    }
  });
});

describe("single transfers", () => {
  const format = { Width: 1280, Height: 720, FrameRate: 30, Subtype: "NV12" };
  const source = {
    ...{ MediaStreamType: 1, MediaSourceKind: 1, Id: "s", ProfileId: "p" },
    VideoProfileMediaDescription: [format],
  };
  const cameras = encodeList([
    { DisplayName: "C", Id: "g", SourceInfos: [source], VideoProfiles: [] },
  ]);
  const sounds = encodeList([{ Id: "a", Name: "A", FrameSources: null }]);

  test("mutants of device lists", () => {
    const text = (bytes: Uint8Array) => readBounded(() => readListText(where), bytes, 4 << 20);
    const both = (bytes: Uint8Array) => {
      const list = text(bytes);
      if (list.includes('Name":"A')) parseAudioList(list, where);
      else cameraChoices(parseCameraList(list, where));
    };
    const counts = fuzz(both, { seeds: [cameras, sounds], mutants, mutate: createMutator(7) });
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(0);
    const mutate = createMutator(8);
    const resized = (bytes: Uint8Array) => {
      const mutant = Uint8Array.from([0, 0, 0, 0, ...mutate(bytes.subarray(4))]);
      viewOf(mutant).setUint32(0, mutant.length - 4, true);
      return mutant;
    };
    fuzz(both, { seeds: [cameras, sounds], mutants, mutate: resized });
  });

  test("mutants of calibrations: any bytes of the right number are one", () => {
    for (const layout of [imuCalibration, pvCalibration]) {
      const parse = (bytes: Uint8Array) => layout.parse(bytes, where);
      const seeds = [noise(layout.bytes, 8)];
      const counts = fuzz(parse, { seeds, mutants, mutate: createMutator(9) });
      expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(0);
    }
  });
});

test("mutants of recordings", () => {
  const seeds = [bytesOf(vector("file/rm_imu_recording_one_packet"))];
  const counts = fuzz(parseRecording, { seeds, mutants, mutate: createMutator(10) });
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(0);
});
