/** What is said over the live socket: the stream, its frames in each wish, its end, and what is refused. */
import { afterAll, describe, expect, test } from "bun:test";
import { createConnection } from "node:net";
import { Packr } from "msgpackr";
import type { LiveRequest } from "../src/api/live-messages.ts";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { LiveRig } from "./live-rig.ts";
import { camera, until } from "./rings.ts";

const rig = new LiveRig("live");
const { rings } = rig;
afterAll(() => rig.close());

const picture = (value: number) => new Uint8Array(4 * 6 * 3).fill(value);
const numbers: StreamSpec = { kind: "imu", dtype: "<u4", shape: [2] };

/** So many frames may have come, at most, to who has looked since `start`. */
function mostSince(start: number, maxRate: number): number {
  return 1 + ((performance.now() - start) * maxRate) / 1000;
}

describe("what is told", () => {
  test("the stream first, then the newest frame with its times, fields and bytes", async () => {
    const fields = [{ name: "arrival_time_ns", dtype: "<u8", offset: 0, unit: "ns" }];
    const writer = rings.writer("told", { ...camera, fields });
    writer.publish(picture(1));
    const arrived = Buffer.alloc(8);
    arrived.writeBigUInt64LE(77n);
    const times = { captureTimeNs: 123n, timeErrorNs: 4n, deviceTime: 9n };
    writer.publish(picture(2), { ...times, fields: arrived });
    const client = await rig.look("told", "?payload=raw");
    const frame = await until(() => client.frames[0]);
    expect(client.messages[0]?.type).toBe("stream");
    expect(client.streams[0]).toMatchObject({ name: "told", state: "live", pixelFormat: "bgr24" });
    expect(frame).toMatchObject({
      ...times,
      generation: writer.generation,
      sequence: 2n,
      arrivalTimeNs: 77n,
      fields: { arrival_time_ns: 77n },
      missed: 0n,
      shape: [4, 6, 3],
      payloadBytes: 72,
    });
    expect(frame.payload).toEqual({ kind: "raw", dtype: "|u1", data: Buffer.from(picture(2)) });
    expect(frame.sentTimeNs >= frame.publishTimeNs).toBe(true);
  });

  test("numbers alone by default, at most so often as is asked, and what was left out", async () => {
    const writer = rings.writer("numbers", camera);
    const start = performance.now();
    const client = await rig.look("numbers", "?maxRate=5");
    while (client.frames.length < 4) {
      writer.publish(picture(0));
      await Bun.sleep(10);
    }
    const last = client.frames.at(-1);
    // To see it fail: let nextDue() in viewer.ts give 0.
    expect(client.frames.length).toBeLessThanOrEqual(mostSince(start, 5));
    expect(last?.payload).toBeNull();
    const missed = client.frames.reduce((sum, frame) => sum + frame.missed, 0n);
    const first = client.frames[0]?.sequence as bigint;
    expect(missed + BigInt(client.frames.length)).toBe((last?.sequence as bigint) - first + 1n);
  });

  test("the hub's clock, when asked", async () => {
    rings.writer("clock", camera);
    const client = await rig.look("clock");
    const before = monotonicNs();
    client.send({ type: "clock", id: 7 });
    const answer = await until(() => client.of("clock")[0]);
    expect(answer.id).toBe(7);
    expect(answer.monotonicNs >= before && answer.monotonicNs <= monotonicNs()).toBe(true);
  });

  test("a new wish counts from then on", async () => {
    const writer = rings.writer("wish", camera);
    const client = await rig.look("wish");
    writer.publish(picture(1));
    expect((await until(() => client.frames[0])).payload).toBeNull();
    client.send({ type: "wish", payload: "raw" });
    client.send({ type: "clock", id: 1 });
    await until(() => client.of("clock")[0]);
    writer.publish(picture(9));
    expect((await until(() => client.frames[1])).payload?.kind).toBe("raw");
  });

  // To see it fail: let ready() in viewer.ts leave the window out.
  test("no more than a window of frames before the client has said that it took them", async () => {
    const writer = rings.writer("window", camera);
    const client = await rig.look("window", "?window=2");
    const other = await rig.look("window"); // who came later is given each frame later
    const publish = async (n: number) => {
      const sequence = writer.publish(picture(n));
      await until(() => other.frames.at(-1)?.sequence === sequence);
      // What was sent to it before the answer has come before it.
      client.send({ type: "clock", id: n });
      await until(() => client.of("clock").at(-1)?.id === n);
    };
    for (let n = 0; n < 10; n++) await publish(n);
    expect(client.frames.length).toBe(2);
    client.send({ type: "got" });
    const third = await until(() => client.frames[2]);
    expect(third.sequence).toBe(10n);
    await publish(10);
    expect(client.frames.length).toBe(3);
  });
});

describe("small frames", () => {
  test("come all, in order, however seldom messages do", async () => {
    const writer = rings.writer("small", numbers);
    writer.publish(new Uint32Array(2));
    const start = performance.now();
    const client = await rig.look("small", "?payload=preview&maxRate=10");
    await until(() => client.frames[0]);
    for (let n = 1; n <= 50; n++) {
      writer.publish(Uint32Array.of(n, n * n), { captureTimeNs: BigInt(n) });
      await Bun.sleep(5);
    }
    await until(() => client.frames.at(-1)?.sequence === 51n);
    const all = client.frames.flatMap(({ payload }) =>
      payload?.kind === "frames" ? payload.frames : [],
    );
    expect(all.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 51 }, (_, n) => BigInt(n + 1)),
    );
    expect(all[50]?.captureTimeNs).toBe(50n);
    expect(all[50]?.data).toEqual(Buffer.from(Uint32Array.of(50, 2500).buffer));
    expect(client.frames.length).toBeLessThanOrEqual(mostSince(start, 10));
    expect(client.frames.every(({ missed }) => missed === 0n)).toBe(true);
  });

  // To see it fail: let #read() in history.ts begin after the frame of whoever asks.
  test("leave no hole where another viewer comes meanwhile", async () => {
    const writer = rings.writer("two", numbers);
    writer.publish(new Uint32Array(2));
    const first = await rig.look("two", "?payload=preview&maxRate=2");
    await until(() => first.frames[0]);
    for (let n = 0; n < 10; n++) writer.publish(new Uint32Array(2));
    const second = await rig.look("two", "?payload=preview");
    await until(() => second.frames[0]);
    const frame = await until(() => first.frames[1]);
    expect(frame.missed).toBe(0n);
    expect(frame.payload?.kind === "frames" && frame.payload.frames.length).toBe(10);
  });

  test("that are too large to gather are said to be so", async () => {
    const writer = rings.writer("large", { kind: "tensor", dtype: "|u1", shape: [300_000] });
    writer.publish(new Uint8Array(300_000));
    const client = await rig.look("large", "?payload=preview");
    const { payload } = await until(() => client.frames[0]);
    expect(payload).toMatchObject({ kind: "nothing", why: expect.stringContaining("300000 B") });
  });
});

describe("what becomes of a stream", () => {
  test("a new generation is told before its first frame", async () => {
    const writer = rings.writer("renewed", camera);
    writer.publish(picture(1));
    const client = await rig.look("renewed", "?payload=none");
    await until(() => client.frames[0]);
    writer.renew({ ...camera, shape: [2, 6, 3] });
    writer.publish(picture(2).subarray(0, 36));
    await until(() => client.frames.find(({ generation }) => generation === writer.generation));
    const kinds = client.messages.map((message) =>
      message.type === "stream" ? message.stream.shm.generation : message.type,
    );
    expect(kinds.lastIndexOf(writer.generation)).toBeLessThan(kinds.lastIndexOf("frame"));
    expect(client.streams.at(-1)?.shape).toEqual([2, 6, 3]);
  });

  test("a killed writer is dead; its successor's frames come over the same connection", async () => {
    const child = await rings.producer("killed", camera, 100);
    const client = await rig.look("killed", "?payload=raw");
    await until(() => client.frames[0]);
    child.kill("SIGKILL");
    await until(() => client.streams.at(-1)?.state === "dead");
    const writer = rings.writer("killed", camera);
    writer.publish(picture(5));
    const frame = await until(() =>
      client.frames.find(({ generation }) => generation === writer.generation),
    );
    expect(frame.sequence).toBe(1n);
    expect(client.streams.at(-1)?.state).toBe("live");
  });

  test("one that is gone is told so, and when it is back", async () => {
    const first = rings.writer("gone", camera);
    const client = await rig.look("gone");
    await until(() => client.streams[0]);
    first.close();
    await until(() => client.of("gone")[0]);
    rings.writer("gone", camera).publish(picture(1));
    await until(() => client.frames[0]);
    expect(client.messages.at(-2)?.type).toBe("stream");
  });

  test("a ring that its owner cuts short ends nothing but itself", async () => {
    const writer = rings.writer("cut", camera);
    writer.publish(picture(1));
    const client = await rig.look("cut", "?payload=preview");
    await until(() => client.frames[0]);
    const bytes = new Uint8Array(await Bun.file(rings.path("cut")).arrayBuffer());
    rings.foreign("short", bytes);
    const short = await rig.look("short", "?payload=preview");
    await until(() => short.frames[0]);
    const { truncateSync } = await import("node:fs");
    truncateSync(rings.path("short"), 4096);
    await until(() => short.of("gone")[0]);
    writer.publish(picture(2));
    await until(() => client.frames.at(-1)?.sequence === 2n);
  });
});

describe("refused", () => {
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
  const headers = { ...upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };

  /** What is answered to an upgrade; fetch() would not send one. */
  function asked(path: string, more: Record<string, string> = {}): Promise<string> {
    const { hostname, port, host } = new URL(rig.url);
    const lines = Object.entries({ Host: host, ...headers, ...more }).map(([k, v]) => `${k}: ${v}`);
    return new Promise((resolve) => {
      const socket = createConnection(Number(port), hostname, () => {
        socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      });
      let answer = "";
      socket.on("data", (data) => {
        answer += data.toString("latin1");
        const [head = "", body] = answer.split("\r\n\r\n");
        const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (body === undefined || body.length < length) return;
        resolve(answer);
        socket.destroy();
      });
    });
  }
  const live = (name: string) => `/api/v1/streams/${name}/live`;

  test("an unknown stream, a foreign Host and Origin, a query that is not allowed", async () => {
    rings.writer("there", camera);
    expect(await asked(live("there"))).toStartWith("HTTP/1.1 101");
    expect(await asked(live("nobody"))).toStartWith("HTTP/1.1 404");
    expect(await asked(live("there"), { Host: "evil.example" })).toStartWith("HTTP/1.1 403");
    const foreign = await asked(live("there"), { Origin: "http://evil.example" });
    expect(foreign).toStartWith("HTTP/1.1 403");
    for (const query of ["payload=all", "maxWidth=15", "maxWidth=", "window=0", "size=3"]) {
      const answer = await asked(`${live("there")}?${query}`);
      expect(answer).toStartWith("HTTP/1.1 400");
      expect(answer).toContain("urn:streamem:problem:bad-query");
    }
  });

  test("a request that asks for no WebSocket", async () => {
    rings.writer("plain", camera);
    const response = await fetch(`${rig.url}${live("plain")}`);
    expect(response.status).toBe(426);
    expect(response.headers.get("upgrade")).toBe("websocket");
  });

  const pack = (value: unknown) => new Packr({ useRecords: false }).pack(value);
  test.each<[string, string | Uint8Array]>([
    ["text", "hello"],
    ["no msgpack", Uint8Array.of(0xc1)],
    ["half a message", Uint8Array.of(0x82, 0xa4, 0x74)],
    ["no map", pack([1, 2])],
    ["an unknown type", pack({ type: "all" })],
    ["a wish out of range", pack({ type: "wish", maxWidth: 1e9 })],
    ["a key too many", pack({ type: "wish", color: true })],
    ["a wish that is no number", pack({ type: "wish", maxRate: Number.NaN })],
    ["records of its own", new Packr({ structures: [] } as never).pack({ type: "clock", id: 1 })],
  ])("%s: a problem in words, and the end of this connection alone", async (_, message) => {
    const other = await rig.look("plain");
    const client = await rig.look("plain");
    client.sendBytes(message);
    const { code } = await until(() => client.closed);
    expect(code).toBe(1008);
    expect(JSON.parse(client.texts[0] ?? "")).toMatchObject({
      status: 400,
      type: "urn:streamem:problem:bad-live-message",
      instance: live("plain"),
      detail: expect.stringContaining("wish, got"),
    });
    other.send({ type: "clock", id: 3 } satisfies LiveRequest);
    await until(() => other.of("clock")[0]);
  });
});
