/**
 * `streamem simulate ndi` over the real libndi, as libndi's own receiver sees it: pictures by their number and colours,
 * tones by pitch and loudness, and each thing that can be made to go wrong.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fourCC } from "../sensors/ndi/libndi/structs.ts";
import { aloneXml } from "../sensors/ndi/simulator/outlet.ts";
import { bars, type Colour, grounds } from "../sensors/ndi/simulator/test-picture.ts";
import { NdiLines } from "./ndi-lines.ts";
import { NdiNetwork, ndiFolder, ownName } from "./ndi-network.ts";

interface Picture {
  type: "video";
  width: number;
  height: number;
  strideBytes: number;
  fourCC: number;
  rate: number;
  xml: string | null;
  number: number;
  above: number[][];
  below: number[][];
}

interface Sound {
  type: "audio";
  samples: number;
  sampleRateHz: number;
  channelStrideBytes: number;
  planes: { hz: number; peak: number }[];
}

interface Listening {
  event: string;
  sources: { name: string; address: string }[];
  words: string;
}

const root = join(import.meta.dir, "..");
const film = join(root, "test/data/bbb-720p.mp4");
let network: NdiNetwork;
const started: NdiLines[] = [];

const run = (...words: string[]): NdiLines => {
  const program = new NdiLines(network, {}, ...words);
  started.push(program);
  return program;
};

async function simulator(...words: string[]) {
  const named = words.includes("--name") ? words : ["--name", ownName("one"), ...words];
  const program = run(join(root, "src/main.ts"), "simulate", "ndi", "--json", ...named);
  const { sources } = await program.until<Listening>(({ event }) => event === "listening");
  return { program, sources, address: sources[0]?.address ?? "" };
}

const receiver = (...words: string[]) => run(join(root, "test/fixtures/ndi-receiver.ts"), ...words);

const picture = (from: NdiLines, holds: (picture: Picture) => boolean = () => true) =>
  from.until<Picture>((line) => line.type === "video" && holds(line));
const sound = (from: NdiLines, holds: (sound: Sound) => boolean = () => true) =>
  from.until<Sound>((line) => line.type === "audio" && holds(line));

/** The codec is lossy. */
function isLike([blue = 0, green = 0, red = 0]: number[], colour: Colour): boolean {
  const apart = [red, green, blue].map((value, i) => Math.abs(value - (colour[i] ?? 0)));
  return Math.max(...apart) <= 12;
}

/** The wandering bar hides one of them at most. */
function showsBars({ below }: Picture): boolean {
  return below.filter((point, i) => isLike(point, bars[i] as Colour)).length >= 7;
}

function showsGround({ above }: Picture, source: number): boolean {
  return above.filter((point) => isLike(point, grounds[source] as Colour)).length >= 7;
}

describe.skipIf(ndiFolder === null)("streamem simulate ndi", () => {
  beforeAll(async () => {
    network = await NdiNetwork.open();
  });
  afterEach(() => Promise.all(started.splice(0).map((program) => program.end())));
  afterAll(() => network?.close());

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`pictures in order, tones in both channels, an end at ${signal}`, async () => {
      const { program, sources, address } = await simulator(
        "--name",
        ownName("One"),
        "--size",
        "640x360",
      );
      expect(sources).toEqual([{ name: expect.stringContaining(` (${ownName("One")})`), address }]);
      expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
      const receiving = receiver(address);
      const first = await picture(receiving);
      expect(first).toMatchObject({ width: 640, height: 360, rate: 30, fourCC: fourCC.BGRX });
      expect(showsBars(first)).toBe(true);
      expect(showsGround(first, 0)).toBe(true);
      // libndi drops some where the receiver is late: then it is one of those that follow.
      for (let before = first, neighbours = false; !neighbours; ) {
        const next = await picture(receiving);
        expect(next.number).toBeGreaterThan(before.number);
        neighbours = next.number === before.number + 1;
        before = next;
      }
      const { sampleRateHz, planes, samples } = await sound(receiving);
      expect({ sampleRateHz, samples }).toEqual({ sampleRateHz: 48000, samples: 1600 });
      expect(planes.map(({ hz }) => Math.round(hz / 40) * 40)).toEqual([440, 880]);
      for (const { peak } of planes) expect(peak).toBeCloseTo(0.5, 1);
      expect(await program.end(signal)).toBe(0);
    });
  }

  test("the form of the pictures changes on request", async () => {
    const { program, address } = await simulator("--size", "320x240", "--fps", "59.94");
    const receiving = receiver(address);
    expect((await picture(receiving)).rate).toBeCloseTo(60000 / 1001, 5);
    program.say("size:642x360");
    expect(await picture(receiving, ({ width }) => width === 642)).toSatisfy(showsBars);
    program.say("alpha");
    const clear = await picture(receiving, (one) => one.fourCC === fourCC.BGRA);
    expect(clear.above.every(([, , , alpha = 0]) => alpha > 250)).toBe(true);
    expect(clear.below.every(([, , , alpha = 0]) => Math.abs(alpha - 128) < 6)).toBe(true);
    expect(clear).toSatisfy(showsBars);
    program.say("opaque");
    await picture(receiving, (one) => one.fourCC === fourCC.BGRX);
    program.say("fps:25");
    await picture(receiving, ({ rate }) => rate === 25);
    program.say("size:961x541");
    await picture(receiving, ({ width, height }) => width === 960 && height === 540);
    program.say("padding:64");
    expect(await picture(receiving)).toSatisfy(showsBars);
  });

  test("the form of the sound changes on request", async () => {
    const { program, address } = await simulator("--size", "64x64", "--sound", "44100x1");
    const receiving = receiver(address, "bgrxBgra", "audio-only");
    const mono = await sound(receiving);
    expect(mono).toMatchObject({ sampleRateHz: 44100, samples: 1470 });
    expect(mono.planes.map(({ hz }) => Math.round(hz / 40) * 40)).toEqual([440]);
    program.say("padding:100");
    program.say("sound:48000x4");
    const four = await sound(receiving, ({ planes }) => planes.length === 4);
    expect(four.planes.map(({ hz }) => Math.round(hz / 40) * 40)).toEqual([440, 880, 440, 880]);
  });

  test("what is held back, and let go", async () => {
    const { program, address } = await simulator("--size", "64x64");
    const receiving = receiver(address);
    program.say("dark");
    await program.until<Listening>(({ event }) => event === "fault");
    program.say("metadata");
    await sound(receiving);
    program.say("go");
    const told = await picture(receiving, ({ xml }) => xml !== null);
    expect(told.xml).toBe("<streamem/>");
    await receiving.until<{ type: string; xml?: string }>(
      ({ type, xml }) => type === "metadata" && xml === aloneXml,
    );
    program.say("freeze:0.3");
    await picture(receiving, ({ number }) => number > told.number + 5);
    await receiving.end(); // a port that has connections when it is closed is not given out again at once
    program.say("stop:0.2");
    await program.until<Listening>(({ words }) => words === "all: stop");
    await picture(receiver(address)); // back at the same place
  });

  test("several sources, each in its colour, that change their ports with each other", async () => {
    const names = ["--name", ownName("One"), "--name", ownName("Two")];
    const { program, sources } = await simulator(...names, "--size", "128x128");
    const [one, two] = sources.map(({ address }) => address) as [string, string];
    expect(one).not.toBe(two);
    program.say("swap");
    await program.until<Listening>(({ words }) => words === "all: swap");
    await picture(receiver(one), (seen) => showsGround(seen, 1));
    await picture(receiver(two), (seen) => showsGround(seen, 0));
    program.say(`${ownName("Two")}/stop`);
    program.say("Three/stop");
    const refused = await program.until<Listening>(({ event }) => event === "refused");
    expect(refused.words).toContain("no such source");
    program.say("size:1x1");
    const wrong = await program.until<Listening>(({ event }) => event === "refused");
    expect(wrong.words).toContain("16x16 to 8192x8192");
  });

  test("a film with its sound", async () => {
    const { program, address } = await simulator("--video", film, "--size", "320x180");
    const receiving = receiver(address);
    const first = await picture(receiving);
    expect(first).toMatchObject({ width: 320, height: 180 });
    const same = ({ above, below }: Picture) => JSON.stringify({ above, below });
    await picture(receiving, (later) => same(later) !== same(first));
    await sound(receiving, ({ planes }) => planes.some(({ peak }) => peak > 0.01));
    program.say("fps:25");
    const refused = await program.until<Listening>(({ event }) => event === "refused");
    expect(refused.words).toContain("not with a film");
  });
});
