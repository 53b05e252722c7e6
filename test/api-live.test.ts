/** What is said over the live socket: the stream, its frames in each wish, its end, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { listen } from "../src/listen.ts";
import { TestApi } from "./api.ts";
import { LiveClient } from "./live-client.ts";
import { camera, TestRings, until } from "./rings.ts";

const rings = new TestRings("live");
let api: TestApi;
let url = "";
let stop: () => Promise<void>;
const clients: LiveClient[] = [];

beforeAll(() => {
  api = new TestApi(rings);
  const server = listen("127.0.0.1", 0, (request, server) => api.app.fetch(request, { server }));
  url = server.url.href.replace(/\/$/, "");
  stop = () => server.stop(true);
});

afterAll(async () => {
  for (const client of clients) client.close();
  await stop();
  await api.close();
});

async function look(stream: string, query = "", headers?: Record<string, string>) {
  const client = new LiveClient(url, stream, query, headers);
  clients.push(client);
  return await client.opened();
}

const picture = (value: number) => new Uint8Array(4 * 6 * 3).fill(value);

describe("what is told", () => {
  test("the stream first, then the newest frame with its times and the sequence", async () => {
    const writer = rings.writer("told", { ...camera, rate: 30 });
    writer.publish(picture(1));
    writer.publish(picture(2), { captureTimeNs: 123n, timeErrorNs: 4n, deviceTime: 9n });
    const client = await look("told", "?payload=raw");
    const frame = await until(() => client.frames[0]);
    expect(client.messages[0]?.type).toBe("stream");
    expect(client.streams[0]).toMatchObject({ name: "told", state: "live", pixelFormat: "bgr24" });
    expect(frame).toMatchObject({
      generation: writer.generation,
      sequence: 2n,
      deviceTime: 9n,
      captureTimeNs: 123n,
      timeErrorNs: 4n,
      arrivalTimeNs: null,
      missed: 0n,
      shape: [4, 6, 3],
    });
    expect(frame.payload).toEqual({ kind: "raw", dtype: "|u1", data: Buffer.from(picture(2)) });
    expect(frame.sentTimeNs >= frame.publishTimeNs).toBe(true);
  });
});
