/**
 * The page in a real browser, on a hub in a process of its own. To see these fail: in
 * src/web/views/picture.tsx leave out `transferFromImageBitmap` or look for no `found` frame; in colours.ts
 * paint with `value` alone; in wall/app.tsx keep the groups of before; in messages.tsx use innerHTML; in
 * src/api/guard.ts tighten the policy; take a name away from a button.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import axe from "axe-core";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import type { RingWriter } from "../src/ring.ts";
import { colourAt, hasBrowser, PageRig, untilColour } from "./page-rig.ts";
import { camera, until } from "./rings.ts";

const rig = new PageRig("page");
const attacks = "<img src=x onerror=globalThis.taken=1>";
const writers: Record<string, RingWriter> = {};
const [wide, high] = [64, 48];

/** Red, green above; blue, white below. */
function quarters(): Uint8Array {
  const bytes = new Uint8Array(high * wide * 3);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [left, upper] = [x < wide / 2, y < high / 2];
      const bgr = upper ? (left ? [0, 0, 255] : [0, 255, 0]) : left ? [255, 0, 0] : [255, 255, 255];
      bytes.set(bgr, (y * wide + x) * 3);
    }
  }
  return bytes;
}

const grey = (value: number) => new Uint8Array(high * wide * 3).fill(value);
const canvasOf = (name: string) => rig.stage(name).locator("canvas").first();

describe.skipIf(!hasBrowser)("in a browser", () => {
  beforeAll(async () => {
    await rig.open();
    for (const [name, spec] of Object.entries(streams))
      writers[name] = rig.rings.writer(name, spec);
    await rig.page.goto(rig.url);
    await rig.tile("cam").waitFor();
  });

  afterAll(() => rig.close());

  test("each stream has a tile with its state in a word", async () => {
    // Not the camera's: it promises 30 frames/s and has given none yet.
    for (const name of ["mic", "imu", "said"]) await rig.tile(name).getByText("live").waitFor();
    const count = Object.keys(streams).length;
    await rig.page.getByRole("status").getByText(`${count} streams: `).waitFor();
    await rig.tile("mute").getByText("No frame yet").waitFor();
  });

  test("the colours of a known picture arrive, and pixels move", async () => {
    writers.cam?.publish(quarters());
    await untilColour(canvasOf("cam"), [0.25, 0.25], [255, 0, 0]);
    await untilColour(canvasOf("cam"), [0.75, 0.25], [0, 255, 0]);
    await untilColour(canvasOf("cam"), [0.25, 0.75], [0, 0, 255]);
    await untilColour(canvasOf("cam"), [0.75, 0.75], [255, 255, 255]);
    writers.cam?.publish(grey(128));
    await untilColour(canvasOf("cam"), [0.25, 0.25], [128, 128, 128]);
  });

  test("depth has colours that tell near from far, a scale in metres, and the value under the pointer", async () => {
    const millimetres = new Uint16Array(high * wide);
    for (let at = 0; at < millimetres.length; at++) {
      const x = at % wide;
      millimetres[at] = x < 8 ? 0 : x < 36 ? 1000 : 3000;
    }
    writers.depth?.publish(millimetres);
    await until(async () => (await colourAt(canvasOf("depth"), 0.3, 0.5))[3] === 255);
    const [near, far, none] = await Promise.all(
      [0.3, 0.8, 0.02].map((x) => colourAt(canvasOf("depth"), x, 0.5)),
    );
    const light = (colour: number[] = []) => (colour[0] ?? 0) + (colour[1] ?? 0) + (colour[2] ?? 0);
    expect(light(near) - light(far)).toBeGreaterThan(200);
    expect(none?.[3]).toBe(0);
    await rig.stage("depth").getByText("1.00 m").waitFor();
    await rig.stage("depth").getByText("3.00 m").waitFor();
    await until(async () => {
      // Each time anew: tiles above may still grow.
      const box = await canvasOf("depth").boundingBox();
      if (box) await rig.page.mouse.move(box.x + box.width * 0.35, box.y + box.height / 2);
      return (await rig.stage("depth").locator("output").textContent()) === "1.00 m";
    });
    await canvasOf("depth").focus();
    for (let step = 0; step < 6; step++) await rig.page.keyboard.press("ArrowRight");
    await until(
      async () => (await rig.stage("depth").locator("output").textContent()) === "3.00 m",
    );
  });

  test("sound has a wave, a spectrum, a level for each channel, and can be listened to", async () => {
    const tone = Float32Array.from({ length: 2048 }, (_, i) =>
      i < 1024 ? 0.5 * Math.sign(Math.sin((2 * Math.PI * 3000 * i) / 48_000)) : 0,
    );
    const play = setInterval(() => writers.mic?.publish(tone), 21);
    try {
      const level = (channel: number) =>
        rig.page.getByRole("meter", { name: `Level of mic, channel ${channel}` });
      await until(async () => Number(await level(1).getAttribute("value")).toFixed(1) === "-6.0");
      expect(await level(2).textContent()).toBe("silent");
      const wave = rig.stage("mic").locator(".wave");
      await until(async () => (await colourAt(wave, 0.99, 0.5))[3] === 255);
      // 3 kHz of 24: an eighth from below; nothing at 10 kHz.
      const spectrogram = rig.stage("mic").locator(".spectrogram");
      await until(async () => {
        const [loud, quiet] = await Promise.all(
          [0.87, 0.55].map((y) => colourAt(spectrogram, 0.99, y)),
        );
        return (loud?.[1] ?? 0) > (quiet?.[1] ?? 0) + 40;
      });
      const button = rig.tile("mic").getByRole("button", { name: "Listen to mic" });
      await button.click();
      await rig.tile("mic").getByRole("button", { name: "Stop listening to mic" }).click();
      await button.waitFor();
    } finally {
      clearInterval(play);
    }
  });

  // To see it fail: in useDrawing of src/web/views/view.ts leave out what comes too early.
  test("an IMU is drawn as lines with its unit, the last frames of a burst too", async () => {
    const plot = rig.page.getByRole("img", { name: "imu in m/s^2, the last ten seconds" });
    for (let frame = 1; frame <= 40; frame++) {
      const values = [1, 2, 3, 4, 5, 6].map((value) => value + frame / 10);
      writers.imu?.publish(Float32Array.from(values));
      if (frame === 1) await until(async () => (await plot.getAttribute("data-sequence")) === "1");
      else await Bun.sleep(5);
    }
    await until(async () => (await plot.getAttribute("data-sequence")) === "40");
    for (const line of ["x", "y", "z"]) await plot.getByText(line, { exact: true }).waitFor();
  });

  test("head and gaze are drawn in space, and what is not seen is named", async () => {
    const record = Float32Array.from([0, 1.6, 0, 0, 0, -1, 0, 1.5, 0, 0, 0, -1]);
    writers.pose?.publish(record, { fields: Uint8Array.from([1, 0]) });
    await rig.stage("pose").getByText("not seen now: eye").waitFor();
    const painted = () =>
      canvasOf("pose").evaluate((element) => {
        const { width, height } = element as HTMLCanvasElement;
        const context = (element as HTMLCanvasElement).getContext("2d");
        const { data } = context?.getImageData(0, 0, width, height) ?? { data: [] };
        return data.filter((alpha, at) => at % 4 === 3 && alpha > 0).length;
      });
    expect(await painted()).toBeGreaterThan(100);
  });

  test("messages are text, whatever stands in them", async () => {
    writers.said?.publish({ words: attacks });
    await rig.tile("said").getByText(attacks).waitFor();
    writers.said?.publish(new Uint8Array([0xff, 0xfe, 0x7b]));
    await until(async () => (await rig.stage("said").getByRole("listitem").count()) === 2);
    expect(await rig.page.evaluate(() => "taken" in globalThis)).toBeFalse();
  });

  test("boxes are drawn on the frame in which they were found, and on no other", async () => {
    const { cam, found } = writers;
    if (!cam || !found) throw new Error("not made");
    const canvas = canvasOf("cam");
    let round = 0;
    const publish = () => {
      const sequence = cam.publish(grey(20 + 18 * (round++ % 12)));
      const refersTo = { stream: "cam", generation: cam.generation, sequence, captureTimeNs: null };
      found.publish({ boxes: [{ label: "cup", box: [8, 12, 16, 24] }] }, { refersTo });
    };
    // Until a picture has found its result: one that was passed over has none.
    const feed = setInterval(publish, 60);
    const rect = rig.stage("cam").locator("rect");
    try {
      await rect.waitFor();
    } finally {
      clearInterval(feed);
    }
    await rig.stage("cam").getByText("cup").waitFor();
    expect(await rect.getAttribute("x")).toBe("8");
    expect(await rect.getAttribute("height")).toBe("24");
    const shown = Number(await canvas.getAttribute("data-sequence"));
    await rig
      .tile("found")
      .getByText(new RegExp(`about cam frame ${shown}$`))
      .waitFor();
    // Without results for a while the picture comes as it comes again.
    const pictures = setInterval(() => cam.publish(quarters()), 60);
    try {
      await untilColour(canvas, [0.25, 0.25], [255, 0, 0]);
    } finally {
      clearInterval(pictures);
    }
    expect(await rect.count()).toBe(0);
  });

  test("numbers agree with the API", async () => {
    const publish = () => writers.cam?.publish(grey(90), { captureTimeNs: monotonicNs() });
    const feed = setInterval(publish, 50);
    try {
      await until(async () => {
        const stream = await rig.stream("cam");
        const [rate, nominal] = (await rig.fact("cam", "Rate")).split(" of ");
        const shown = Number.parseFloat(rate ?? "");
        return nominal === "30.0/s" && Math.abs(shown - (stream.measuredRate ?? 0)) < 2;
      });
      expect(await rig.fact("cam", "Frame")).toBe("64 × 48 bgr24");
      await until(async () => /^\d+ ms$/.test(await rig.fact("cam", "Age")));
      await until(async () => {
        const [shown, unit] = (await rig.fact("cam", "Bytes")).split(" ");
        const { bytesPerSecond } = await rig.stream("cam");
        const apart = Math.abs(Number(shown) * 1000 - (bytesPerSecond ?? 0));
        return unit === "kB/s" && apart < 60_000;
      });
      await until(async () => /capture [\d.]+ ms.*here [\d.]+ ms/.test(await rig.words("cam")));
    } finally {
      clearInterval(feed);
    }
  });

  test("a new stream appears, a new generation is taken up, an ended one goes", async () => {
    const writer = rig.rings.writer("late", camera);
    await rig.tile("late").waitFor();
    writer.renew({ kind: "message", dtype: "|u1", shape: [16384], encoding: "utf8" });
    writer.publish("now a message");
    await rig.tile("late").getByText("now a message").waitFor();
    writer.close();
    await rig.tile("late").waitFor({ state: "detached" });
  });

  test("a tile opens to full size by keyboard, with fields, descriptor, history and code", async () => {
    await rig.page.getByRole("button", { name: "Open cam" }).focus();
    await rig.page.keyboard.press("Enter");
    const opened = rig.page.getByRole("dialog", { name: "cam" });
    await opened.getByRole("tab", { name: "Python" }).focus();
    await rig.page.keyboard.press("ArrowRight");
    await opened.getByText('#include "streamem.h"').waitFor();
    const feed = setInterval(() => writers.cam?.publish(quarters()), 50);
    await untilColour(opened.locator(".stage canvas").first(), [0.25, 0.25], [255, 0, 0]);
    clearInterval(feed);
    await opened.getByText("capture_time_ns").waitFor();
    await opened.getByText('"pixelFormat": "bgr24"').waitFor();
    await opened.getByRole("img", { name: "Frames/s of cam, the last minute" }).waitFor();
    expect(new URL(rig.page.url()).hash).toBe("#cam");
    expect(await seriousFaults()).toEqual([]);
    await rig.page.keyboard.press("Escape");
    await opened.waitFor({ state: "detached" });
  });

  /** Of axe-core: what it calls serious or critical. */
  async function seriousFaults(): Promise<string[]> {
    // Its text is run by the debugger: the page's own policy lets no foreign script in.
    await rig.page.evaluate(axe.source);
    return rig.page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
  }

  test.each(["light", "dark"] as const)(
    "axe-core finds no serious fault when it is %s",
    async (colorScheme) => {
      await rig.page.emulateMedia({ colorScheme });
      expect(await seriousFaults()).toEqual([]);
    },
  );

  test("a narrow phone needs no scrolling sideways", async () => {
    await rig.page.setViewportSize({ width: 320, height: 700 });
    const widths = () =>
      rig.page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth] as const);
    await until(async () => {
      const [inside, outside] = await widths();
      return inside === outside;
    });
    await rig.page.setViewportSize({ width: 1400, height: 1400 });
  });

  test("nothing failed, broke the policy or went elsewhere", () => {
    expect(rig.faults).toEqual([]);
  });

  test("the docs show every route with nothing from elsewhere", async () => {
    const faults: string[] = [];
    const docs = await rig.openPage(faults);
    await docs.goto(`${rig.url}/docs`);
    await docs.getByText("/api/v1/streams/{name}/latest.png").waitFor();
    await until(async () => (await docs.locator(".opblock").count()) > 12);
    expect(faults).toEqual([]);
    await docs.close();
  });
});

const picture = {
  kind: "video",
  dtype: "|u1",
  shape: [high, wide, 3],
  dims: ["height", "width", "channel"],
  pixelFormat: "bgr24",
} satisfies StreamSpec;

const streams: Record<string, StreamSpec> = {
  cam: { ...picture, rate: 30 },
  depth: { kind: "depth", dtype: "<u2", shape: [high, wide], units: "mm", pixelFormat: "gray16le" },
  mic: { kind: "audio", dtype: "<f4", shape: [2, 1024], sampleRateHz: 48_000, channels: 2 },
  imu: { kind: "imu", dtype: "<f4", shape: [2, 3], units: "m/s^2" },
  pose: {
    kind: "pose",
    dtype: [
      ["head_position", "<f4", [3]],
      ["head_forward", "<f4", [3]],
      ["eye_origin", "<f4", [3]],
      ["eye_direction", "<f4", [3]],
    ],
    shape: [],
    fields: [
      { name: "head_valid", dtype: "|u1", offset: 0 },
      { name: "eye_valid", dtype: "|u1", offset: 1 },
    ],
  },
  said: { kind: "message", dtype: "|u1", shape: [16384], encoding: "json" },
  found: { kind: "message", dtype: "|u1", shape: [16384], encoding: "json" },
  mute: { kind: "tensor", dtype: "<f4", shape: [4] },
};
