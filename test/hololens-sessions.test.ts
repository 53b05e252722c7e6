/**
 * What a broken or hostile peer sends, taken by whole sessions over real sockets: the vectors, a flood, a
 * size that is waited for. The stream connects again or goes on, always in the same process.
 *
 * To see them fail: let `take` of client/pump.ts throw every error.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { connect } from "../sensors/hololens/client/connection.ts";
import { type Simulator, startSimulator } from "../sensors/hololens/simulator/server.ts";
import { type StreamName, streamOfPort } from "../sensors/hololens/wire/ports.ts";
import { openReader } from "../src/ring.ts";
import { type Part, TestHeadset, useOwnCache } from "./hololens-client.ts";
import { bytesOf, type Vector, vectorsOf } from "./hololens-wire-vectors.ts";
import { until } from "./rings.ts";

useOwnCache();
const ports = 20_500;
let headset: TestHeadset | null = null;
let device: Simulator | null = null;
let server: Server | null = null;

afterEach(async () => {
  await headset?.close();
  server?.close();
  await device?.close();
  headset = null;
  server = null;
  device = null;
});

interface Peer {
  /** Connections that asked for the stream. */
  asked: number;
}

/** Answers no calibration, starts every source, and does what it is told with each stream. */
async function listen(stream: StreamName, port: number, serve: (socket: Socket) => void) {
  const peer: Peer = { asked: 0 };
  const asks = (socket: Socket) => {
    peer.asked += 1;
    serve(socket);
  };
  server = createServer((socket) => {
    socket.on("error", () => {});
    if (stream === "spatial-input") return asks(socket);
    socket.once("data", ([mode = 0]: Buffer) => {
      const asksForStream = stream === "microphone" || stream === "eye-tracker" || mode < 2;
      if (asksForStream) asks(socket);
      else socket.end();
    });
  });
  await new Promise<void>((done) => server?.listen(port, "127.0.0.1", done));
  return peer;
}

async function receive(stream: StreamName, keys: object = {}): Promise<Part> {
  device = await startSimulator({ ports, streams: ["remote-configuration"] });
  headset = new TestHeadset("sessions", { ports, streams: [stream], ...keys });
  headset.device();
  return headset.stream(stream, { leastRetryMs: 1 });
}

const bad = vectorsOf("bad").map((one) => [one.name, one] as const);
const keysOf: Record<string, object> = {
  "bad/ahat_inner_sizes_do_not_add_up": { ahat: { depthProfile: "zdepth" } },
  "bad/ez_raw_size_mismatch": { extendedDepth: { depthProfile: "same" } },
};

describe("the vectors of what must not be sent", () => {
  test.each(bad)("%s", async (name, one) => {
    const stream = streamOfPort(one.port as number) as StreamName;
    const expected = one.fields.expect as string;
    const bytes = bytesOf(one);
    const goesOn = !/^(protocol|truncated)/.test(expected);
    const peer = await listen(stream, ports + (one.port as number), (socket) => {
      socket.write(bytes);
      if (goesOn) socket.write(bytes);
      if (name.endsWith("_eof")) socket.end();
    });
    const part = await receive(stream, { pose: one.hasPose, ...keysOf[name] });
    if (goesOn) await wentOn(part, expected, peer);
    else await endedOver(part, one, peer);
  });

  async function wentOn(part: Part, expected: string, peer: Peer) {
    const { counters } = part;
    if (expected.startsWith("skipped")) await until(() => counters.empty === 2);
    else if (expected.startsWith("frame error")) await until(() => counters.damaged === 2);
    else {
      const { prefix } = (headset as TestHeadset).rings;
      const reader = await until(() => openReader(`hl.${part.name}`, { prefix }).catch(() => null));
      const frame = await until(() => reader.latest());
      expect(frame.fields.pose_valid).toBe(0);
      expect(frame.fields.pose).toEqual(new Array(16).fill(0));
      reader.close();
    }
    expect(peer.asked).toBe(1);
    expect(part.states.at(-1)?.state).toBe("running");
  }

  async function endedOver(part: Part, one: Vector, peer: Peer) {
    await until(() => peer.asked >= 2);
    const cut = one.fields.expect.startsWith("truncated");
    const words = cut ? "ended inside a message" : "does not speak the protocol";
    await until(() => part.log.some((line) => line.includes(words)));
    expect(part.failure).toBeNull();
  }
});

test("a peer that floods a connection nobody reads is left", async () => {
  const more = new Uint8Array(1 << 20);
  server = createServer((socket) => {
    socket.on("error", () => {});
    const flood = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on("drain", flood);
    flood();
  });
  await new Promise<void>((done) => server?.listen(ports + 1, "127.0.0.1", done));
  const before = process.memoryUsage().rss;
  const signal = new AbortController().signal;
  const made = await connect({ host: "127.0.0.1", port: ports + 1, signal });
  expect(String(await made.ended)).toContain("bytes that nobody asked for");
  expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
});

test("a frame that is unusable is left out; twenty in a row end the connection", async () => {
  const one = vectorsOf("bad").find(({ name }) => name === "bad/longthrow_not_png") as Vector;
  const bytes = bytesOf(one);
  const peer = await listen("depth-longthrow", ports + 3805, (socket) => {
    for (let i = 0; i < 20; i++) socket.write(bytes);
  });
  const part = await receive("depth-longthrow", { pose: false });
  await until(() => peer.asked >= 2);
  expect(part.counters.damaged).toBeGreaterThanOrEqual(20);
  expect(part.log.some((line) => line.includes("too many frames of port"))).toBe(true);
});
