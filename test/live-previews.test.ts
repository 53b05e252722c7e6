/** Small pictures over the live socket: right, made once for all who look, not at all for nobody; slow viewers cost nobody else. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { FrameMessage } from "../src/api/live-messages.ts";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { LiveRig } from "./live-rig.ts";
import { until } from "./rings.ts";

const { default: jpegTurbo } = await import("@julusian/jpeg-turbo");

const rig = new LiveRig("live-pictures");
const { rings } = rig;
afterAll(() => rig.close());

const previews = () => rig.metric("streamem_live_previews_total");
const viewers = () => rig.metric("streamem_live_viewers");
const video = (width: number, height: number): StreamSpec => ({
  kind: "video",
  dtype: "|u1",
  shape: [height, width, 3],
  pixelFormat: "bgr24",
});

/** Left half one colour, right half another, as blue, green, red. */
function halves(width: number, height: number, left: number[], right: number[]): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const x = Math.floor(at / 3) % width;
    return (x < width / 2 ? left : right)[at % 3] as number;
  });
}

function pixelAt(frame: FrameMessage, x: number, y: number): number[] {
  if (frame.payload?.kind !== "jpeg")
    throw new Error(`no picture: ${JSON.stringify(frame.payload)}`);
  const { data, width } = jpegTurbo.decompressSync(Buffer.from(frame.payload.data), {
    format: jpegTurbo.FORMAT_RGB,
  });
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

describe("pictures", () => {
  test("have the colours of the frame, and at most the width that was asked for", async () => {
    const writer = rings.writer("colours", video(256, 128));
    writer.publish(halves(256, 128, [255, 0, 0], [0, 0, 255]));
    const client = await rig.look("colours", "?payload=preview&maxWidth=100");
    const frame = await until(() => client.frames[0]);
    expect(frame.payload).toMatchObject({ kind: "jpeg", width: 85, height: 42 });
    const close = (colour: number[], wanted: number[]) =>
      expect(
        Math.max(...colour.map((value, i) => Math.abs(value - (wanted[i] as number)))),
      ).toBeLessThan(12);
    close(pixelAt(frame, 10, 20), [0, 0, 255]);
    close(pixelAt(frame, 75, 20), [255, 0, 0]);
  });

  test("of 16 bits keep them: one pixel of each box, and no mean", async () => {
    const spec: StreamSpec = {
      kind: "depth",
      dtype: "<u2",
      shape: [64, 96],
      pixelFormat: "gray16le",
    };
    const depths = Uint16Array.from({ length: 64 * 96 }, (_, at) => 1000 + at);
    rings.writer("depths", spec).publish(depths);
    const client = await rig.look("depths", "?payload=preview&maxWidth=32");
    const { payload } = await until(() => client.frames[0]);
    if (payload?.kind !== "gray16") throw new Error("no depth");
    expect(payload).toMatchObject({ width: 32, height: 21, factor: 3 });
    const { buffer, byteOffset } = Uint8Array.from(payload.data);
    const seen = new Uint16Array(buffer, byteOffset, 32 * 21);
    const picked = Array.from(
      seen,
      (_, at) => depths[(Math.floor(at / 32) * 3 + 1) * 96 + (at % 32) * 3 + 1],
    );
    expect([...seen]).toEqual(picked as number[]);
  });

  test("that are none are said to be none", async () => {
    rings.writer("odd", video(64, 64)).publish(new Uint8Array(100));
    const client = await rig.look("odd", "?payload=preview");
    const { payload } = await until(() => client.frames[0]);
    expect(payload).toMatchObject({ kind: "nothing", why: expect.stringContaining("12288 B") });
  });
});

describe("previews are made", () => {
  // To see it fail: let shotOf() in picture-preview.ts give null.
  test("not again for those who come later", async () => {
    rings.writer("kept", video(64, 64)).publish(new Uint8Array(64 * 64 * 3));
    const others = await viewers();
    const before = await previews();
    const lookers: Awaited<ReturnType<typeof rig.look>>[] = [];
    for (let n = 0; n < 3; n++) {
      const looker = await rig.look("kept", "?payload=preview");
      await until(() => looker.frames[0]);
      lookers.push(looker);
    }
    for (const looker of lookers) looker.close();
    expect(await previews()).toBe(before + 1);
    await until(async () => (await viewers()) === others); // nobody of these is counted in what follows
  });

  test("once for all who want the same size, and not while nobody wants any", async () => {
    const writer = rings.writer("shared", video(64, 64));
    const picture = halves(64, 64, [1, 2, 3], [4, 5, 6]);
    const publish = async (count: number) => {
      for (let n = 0; n < count; n++) {
        writer.publish(picture);
        await Bun.sleep(20);
      }
    };
    const others = await viewers();
    const none = await previews();
    await publish(5);
    const numbersAlone = await rig.look("shared");
    await publish(5);
    await until(() => numbersAlone.frames.length > 2);
    // To see it fail: let #serve() in live-stream.ts make a preview whatever the wish.
    expect(await previews()).toBe(none);

    const lookers = await Promise.all(
      Array.from({ length: 5 }, () => rig.look("shared", "?payload=preview&maxWidth=32")),
    );
    await publish(20);
    const last = writer.sequence;
    await until(() => lookers.every(({ frames }) => frames.at(-1)?.sequence === last));
    const made = (await previews()) - none;
    const seen = new Set(lookers.flatMap(({ frames }) => frames.map(({ sequence }) => sequence)));
    // To see it fail: keep a PicturePreview for each viewer.
    expect(made).toBe(seen.size);
    expect(lookers.reduce((sum, { frames }) => sum + frames.length, 0)).toBeGreaterThan(3 * made);

    for (const looker of lookers) looker.close();
    numbersAlone.close();
    await until(async () => (await viewers()) <= others);
    const before = await previews();
    await publish(5);
    expect(await previews()).toBe(before);
  });
});

describe("a viewer on a slow line", () => {
  // To see it fail: let ready() in viewer.ts leave #full out (what waits grows), or let #show() in live-stream.ts wait for all.
  test("gets fewer frames, holds nobody else up, and nothing gathers for it", async () => {
    const [width, height] = [640, 360];
    const writer = rings.writer("slow", video(width, height));
    const noise = new Uint8Array(width * height * 3);
    const before = await viewers();
    const fast = await rig.look("slow", "?payload=preview&window=4");
    const { hostname, port } = new URL(rig.url);
    const path = "/api/v1/streams/slow/live?payload=preview";
    const program = join(import.meta.dir, "fixtures/slow-viewer.py");
    const slow = Bun.spawn(["python3", program, hostname, port, path], { stdin: "pipe" });
    await until(async () => (await viewers()) === 2 + before);

    let waiting = 0;
    let published = 0;
    // First the kernel takes all; then many more, of which each could be added to what waits.
    for (let more = 50; more > 0; published++) {
      crypto.getRandomValues(noise.subarray(0, 65536));
      noise.copyWithin(65536, 0);
      writer.publish(noise);
      // Its speed is bytes for each frame, and not for each second: whatever the machine's is.
      slow.stdin.write("4000\n");
      slow.stdin.flush();
      await until(() => fast.frames.at(-1)?.sequence === writer.sequence);
      fast.send({ type: "got" });
      waiting = Math.max(waiting, await rig.metric("streamem_live_waiting_bytes"));
      if (waiting > 0) more--;
    }
    slow.stdin.end();
    const told = await new Response(slow.stdout).text();
    const [messages = 0, bytes = 0] = told.trim().split(/[\n ]/).slice(-2).map(Number);
    const largest = Math.max(
      ...fast.frames.map(({ payload }) => (payload?.kind === "jpeg" ? payload.data.length : 0)),
    );
    expect(largest).toBeGreaterThan(50_000);
    expect(fast.frames.length).toBe(published);
    expect(messages).toBeGreaterThan(0);
    expect(messages).toBeLessThan(0.5 * published);
    expect(bytes).toBe(4000 * published);
    // a part of one message, in this process: what the kernel took is out of its hands
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(largest + 2000);
  });
});
