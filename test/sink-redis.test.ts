/**
 * Messages sent on to a real redis-server, which is killed and started again. To see these fail: in
 * sinks/redis-connection.ts leave out the loop around a connection, `inTime`, or LTRIM; in message-buffer.ts the bound.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { SinkBody } from "../src/api/schemas.ts";
import { parseConfig } from "../src/config/config.ts";
import { type Hub, startHub } from "../src/hub.ts";
import { startLog } from "../src/log/log.ts";
import { password, redisServer, TestRedis } from "./redis-server.ts";
import { camera, TestRings, until } from "./rings.ts";
import { skipping } from "./skipping.ts";

if (!redisServer)
  skipping("the Redis sink", "no redis-server (Debian: apt-get install redis-server)");

type Entry = [id: string, fields: string[]];

describe.skipIf(!redisServer)("a sink of kind redis", () => {
  let rings: TestRings;
  let redis: TestRedis;
  let hub: Hub | null;

  beforeEach(async () => {
    rings = new TestRings("sink");
    redis = await TestRedis.create();
    hub = null;
  });

  afterEach(async () => {
    await hub?.close();
    await redis.close();
    await rings.close();
  });

  async function start(keys = ""): Promise<void> {
    const text = `port: 0\nprefix: ${rings.prefix}\nsinks: [{ kind: redis, url: "${redis.url}", streams: [detections, later]${keys} }]`;
    process.env.STREAMEM_DIR = rings.directory;
    hub = await startHub(await parseConfig(text, "sink.yaml"));
  }

  const sink = async (): Promise<SinkBody> => {
    const response = await fetch(`${hub?.url}/api/v1/sinks/redis`);
    return (await response.json()) as SinkBody;
  };
  const connected = () => until(async () => (await sink()).state === "running");
  const counted = (what: string, count: number) =>
    until(async () => (await sink()).counters[what] === count);
  const entries = async (key = "detections"): Promise<Entry[]> =>
    redis.ask("XRANGE", key, "-", "+");
  const fieldsOf = ([, list]: Entry) =>
    Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : [])));
  const messages = async (key?: string) =>
    (await entries(key)).map((entry) => JSON.parse(fieldsOf(entry).message ?? ""));

  test("adds each message with what is known of it, of streams that come later too", async () => {
    await redis.start();
    await start();
    await connected();
    const cameraWriter = rings.writer("webcam", camera);
    const writer = rings.writer("detections", { kind: "message", dtype: "|u1", shape: [100] });
    const refersTo = {
      stream: "webcam",
      generation: cameraWriter.generation,
      sequence: 7n,
      captureTimeNs: 70n,
    };
    for (let n = 1; n <= 20; n++) writer.publish({ n }, { refersTo });
    await counted("sent", 20);
    expect(await messages()).toEqual(Array.from({ length: 20 }, (_, i) => ({ n: i + 1 })));
    const [first] = (await entries()).map(fieldsOf);
    expect(first).toMatchObject({
      stream: "detections",
      generation: writer.generation,
      sequence: "1",
      captureTimeNs: "70",
    });
    expect(JSON.parse(first?.refersTo ?? "")).toEqual({
      ...refersTo,
      sequence: "7",
      captureTimeNs: "70",
    });
    writer.renew();
    writer.publish({ n: 21 });
    await counted("sent", 21);
    expect((await sink()).counters).toMatchObject({ dropped: 0, missed: 0, buffered: 0 });
  });

  test("keeps what comes while Redis is away, and sends it when it is back", async () => {
    await redis.start();
    await start();
    await connected();
    const writer = rings.writer("detections", { kind: "message", dtype: "|u1", shape: [100] });
    writer.publish({ n: 1 });
    await counted("sent", 1);
    await redis.kill();
    for (let n = 2; n <= 50; n++) writer.publish({ n });
    await until(async () => (await sink()).state === "connecting");
    await counted("buffered", 49);
    const { words, url } = await sink();
    expect(url).toBe(`redis://***@127.0.0.1:${redis.port}`);
    expect(words).toContain(`127.0.0.1:${redis.port}`);
    await redis.start();
    await counted("sent", 50);
    expect((await messages()).map(({ n }) => n)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    const { counters, restarts } = await sink();
    expect([counters.dropped, counters.connections, restarts]).toEqual([0, 2, 0]);
  });

  test("drops the oldest where the buffer is full, and counts them", async () => {
    await start(", bufferBytes: 10240"); // there is no Redis yet
    const writer = rings.writer("detections", { kind: "message", dtype: "|u1", shape: [100] });
    await until(async () => (await sink()).state === "connecting");
    for (let n = 1; n <= 100; n++) writer.publish({ n });
    await until(async () => {
      const { buffered = 0, dropped = 0 } = (await sink()).counters;
      return buffered + dropped === 100;
    });
    const { buffered = 0, dropped = 0 } = (await sink()).counters;
    expect(buffered).toBeGreaterThan(30);
    expect(dropped).toBeGreaterThan(50);
    await redis.start();
    await counted("sent", buffered);
    expect((await messages()).map(({ n }) => n)).toEqual(
      Array.from({ length: buffered }, (_, i) => dropped + i + 1),
    );
    const metrics = await (await fetch(`${hub?.url}/metrics`)).text();
    expect(metrics).toContain(
      `streamem_sink_messages_total{sink="redis",kind="redis",what="dropped"} ${dropped}`,
    );
    expect(metrics).toContain('streamem_sink_state{sink="redis",kind="redis",state="running"} 1');
  });

  test("a list keeps the newest, under one key if so asked", async () => {
    await redis.start();
    await start(", mode: list, maxLength: 3, key: 'lab:{stream}:x'");
    await connected();
    const writer = rings.writer("detections", { kind: "message", dtype: "|u1", shape: [100] });
    for (let n = 1; n <= 9; n++) writer.publish({ n });
    await counted("sent", 9);
    const list = await redis.ask("LRANGE", "lab:detections:x", "0", "-1");
    expect(list).toEqual(['{"n":7}', '{"n":8}', '{"n":9}']);
  });

  test("a stream is cut at about its length", async () => {
    await redis.start();
    await start(", maxLength: 100");
    await connected();
    const writer = rings.writer("detections", { kind: "message", dtype: "|u1", shape: [100] });
    for (let n = 1; n <= 600; n += 200) {
      for (let i = n; i < n + 200; i++) writer.publish({ n: i });
      await counted("sent", n + 199);
    }
    const length = await redis.ask("XLEN", "detections");
    expect(length).toBeGreaterThanOrEqual(100);
    expect(length).toBeLessThan(300); // Redis cuts whole nodes of 100 entries
  });

  test("what Redis refuses is said and tried again, and a server that hangs is given up", async () => {
    await redis.start();
    await redis.ask("SET", "detections", "something else");
    await start();
    await connected();
    const writer = rings.writer("detections", { kind: "message", dtype: "|u1", shape: [100] });
    writer.publish({ n: 1 });
    await until(async () => (await sink()).words?.includes("WRONGTYPE"));
    await redis.ask("DEL", "detections");
    await counted("sent", 1);
    redis.signal("SIGSTOP");
    writer.publish({ n: 2 });
    await until(async () => (await sink()).words?.includes("no answer for 5 s"));
    redis.signal("SIGCONT");
    await until(async () => ((await sink()).counters.sent ?? 0) >= 2);
    expect((await messages()).at(-1)).toEqual({ n: 2 });
  }, 60_000);

  test("a wrong password is nowhere to be read", async () => {
    await redis.start();
    await redis.ask("CONFIG", "SET", "requirepass", "another");
    const lines: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text: string | Uint8Array) => lines.push(String(text)) > 0;
    const endLog = await startLog({ json: true });
    try {
      await start();
      await until(async () => (await sink()).words?.includes("password right"));
    } finally {
      await endLog();
      process.stderr.write = write;
    }
    const all = JSON.stringify([await sink(), lines]);
    expect(all).toContain("password right");
    expect(all).not.toContain(password);
    const running = Bun.spawnSync(["ps", "ax", "-o", "args"]).stdout.toString();
    const sinkProcess = running.split("\n").filter((line) => line.includes("sensor-process"));
    expect(sinkProcess.join("\n")).not.toContain(password);
  });
});
