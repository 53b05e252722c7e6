/**
 * No damaged picture is published, whatever was lost: each one is held to what the whole stream gives.
 *
 * To see it fail: let `follows` of decoding/h264-frame-numbers.ts be true always, or take `err_detect`
 * from decoding/unit-decoder.ts.
 *
 * Not seen, since nothing can see it: bits that changed and still decode, and of H.265 also a slice
 * without its end. That these last no longer than to the next key frame is seen.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { pvReceiving } from "../sensors/hololens/streams/pv.ts";
import { vlcReceiving } from "../sensors/hololens/streams/vlc.ts";
import { unitStarts } from "../sensors/hololens/wire/access-unit.ts";
import { encodeVideoPayload, videoFooter } from "../sensors/hololens/wire/video-payload.ts";
import { encode } from "./hololens-encodings.ts";
import { StreamRig } from "./hololens-streams-rig.ts";
import { random } from "./hololens-wire-vectors.ts";
import { md5 } from "./video-rig.ts";

const rigs: StreamRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});

const size = { width: 96, height: 64 };
const gop = 8;
const frames = 3 * gop;
const footer = { ...videoFooter.parse(new Uint8Array(videoFooter.bytes), "test"), ...size };

interface Played {
  /** MD5 by number of the unit. */
  pictures: Map<number, string>;
  errors: string[];
  counters: Record<string, number>;
}

/** `change` gives what arrives in place of a unit; null: nothing. */
async function play(
  profile: string,
  units: Uint8Array[],
  change: (unit: Uint8Array, number: number, rig: StreamRig) => Uint8Array | null = (unit) => unit,
): Promise<Played> {
  const rig = new StreamRig({ stream: "pv", keys: { pv: { ...size, profile } } });
  rigs.push(rig);
  await rig.open(pvReceiving);
  const played: Played = { pictures: new Map(), errors: [], counters: rig.context.counters };
  for (const [number, unit] of units.entries()) {
    const arrives = change(unit, number, rig);
    if (arrives === null) continue;
    const outcome = rig.tryTake(encodeVideoPayload(arrives, footer), BigInt(number));
    if (typeof outcome === "string") played.errors.push(outcome);
  }
  for (const { deviceTime, bytes } of rig.published) {
    played.pictures.set(Number(deviceTime), md5(bytes));
  }
  return played;
}

function expectSame({ pictures }: Played, truth: Played, but: (number: number) => boolean) {
  for (let number = 0; number < frames; number++) {
    const expected = but(number) ? undefined : truth.pictures.get(number);
    expect([number, pictures.get(number)]).toEqual([number, expected]);
  }
}

/** From this unit up to the next key frame. */
const rest = (from: number) => (number: number) =>
  number >= from && number < gop * (1 + Math.floor(from / gop));

describe.each([
  ["h264", "h264-main"],
  ["h265", "h265-main"],
] as const)("%s", (codec, profile) => {
  const making = encode({ codec, ...size, frames, gop });

  test("a picture for each unit of a whole stream", async () => {
    const truth = await play(profile, await making);
    expect(truth.pictures.size).toBe(frames);
    expect(new Set(truth.pictures.values()).size).toBeGreaterThan(frames / 2);
    expect(truth.counters).toEqual({});
  });

  test("a unit that never came: nothing up to the next key frame", async () => {
    const units = await making;
    const truth = await play(profile, units);
    for (const lost of [1, 3, gop + 1, 2 * gop - 2, gop, 0]) {
      const played = await play(profile, units, (unit, number) => (number === lost ? null : unit));
      expectSame(played, truth, rest(lost));
      const wholeGopIsGone = lost % gop === 0;
      const { dropped = 0 } = played.counters;
      expect(dropped + played.errors.length).toBe(gop - 1 - (lost % gop));
      if (!wholeGopIsGone || lost > 0) expect(played.errors.length).toBe(1);
      else expect(played.errors).toEqual([]);
    }
  });

  test("starting inside a group: the first picture is a key frame", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const played = await play(profile, units, (unit, number) => (number < 3 ? null : unit));
    expectSame(played, truth, (number) => number < gop);
    expect(played.errors).toEqual([]);
    expect(played.counters).toEqual({ dropped: gop - 3 });
  });

  test("a connection that begins anew inside a group", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const played = await play(profile, units, (unit, number, rig) => {
      if (number === gop + 2) rig.receiver.begin();
      return unit;
    });
    expectSame(played, truth, rest(gop + 2));
  });

  test("a key frame without its parameter sets", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const slice = (unit: Uint8Array) => unit.subarray(([...unitStarts(unit)].at(-1) as number) - 3);
    const played = await play(profile, units, (unit, number) =>
      number === 0 ? slice(unit) : unit,
    );
    expectSame(played, truth, rest(0));
  });

  test("parameter sets come once: damage does not end the stream", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const slice = (unit: Uint8Array) => unit.subarray(([...unitStarts(unit)].at(-1) as number) - 3);
    const played = await play(profile, units, (unit, number) => {
      if (number === 2) return null;
      return number > 0 && number % gop === 0 ? slice(unit) : unit;
    });
    expectSame(played, truth, rest(2));
  });

  test("late units are decoded and not published; the others are as ever", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const played = await play(profile, units, (unit, number, rig) => {
      if (number % 3 !== 1) return unit;
      const payload = encodeVideoPayload(unit, footer);
      rig.receiver.take({ payload, timestamp: BigInt(number), pose: null, arrivalNs: 0n }, 2);
      return null;
    });
    expectSame(played, truth, (number) => number % 3 === 1);
    expect(played.counters).toEqual({});
  });

  test("changed bits: whatever they do ends at the next key frame", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const next = random(5);
    for (let i = 0; i < 40; i++) {
      const at = gop + Math.floor(next() * gop);
      const played = await play(profile, units, (unit, number) => {
        if (number !== at) return unit;
        const place = Math.floor(next() * unit.length);
        return unit.with(place, (unit[place] as number) ^ (1 << Math.floor(next() * 8)));
      });
      for (let number = 0; number < frames; number++) {
        if (rest(at)(number)) continue;
        expect(played.pictures.get(number)).toBe(truth.pictures.get(number) as string);
      }
    }
  });

  test("a unit cut short, at every byte", async () => {
    const units = await making;
    const truth = await play(profile, units);
    const at = gop + 3;
    const whole = units[at] as Uint8Array;
    for (let cut = 0; cut < whole.length - 1; cut++) {
      const played = await play(profile, units, (unit, number) =>
        number === at ? unit.subarray(0, cut) : unit,
      );
      for (let number = 0; number < frames; number++) {
        const picture = played.pictures.get(number);
        if (!rest(at)(number)) expect(picture).toBe(truth.pictures.get(number) as string);
        else if (codec === "h264" && picture)
          expect(picture).toBe(truth.pictures.get(number) as string);
      }
    }
  });
});

test("a claim to be larger than the camera is refused before memory is taken", async () => {
  const rig = new StreamRig({ stream: "vlc-leftfront" });
  rigs.push(rig);
  await rig.open(vlcReceiving);
  const [unit] = await encode({ codec: "h265", width: 1280, height: 720, frames: 1, gop: 1 });
  const payload = new Uint8Array((unit as Uint8Array).length + 24);
  payload.set(unit as Uint8Array);
  expect(rig.tryTake(payload)).toContain("does not decode");
});
