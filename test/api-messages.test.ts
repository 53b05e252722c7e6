/**
 * To see these fail: in src/api/messages.ts leave out requireOurs (a camera's name is taken), bodyLimit, or
 * requireMessages; in exact-json.ts give the plain value back (a 64-bit number loses its last digits); in
 * read-messages.ts do not look at the cursor's generation.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { openReader, type StreamSpec } from "../src/ring.ts";
import { smallCamera, TestApi } from "./api.ts";
import { camera, TestRings, until } from "./rings.ts";
import { readEvents } from "./sse.ts";

interface Item {
  cursor: string;
  sequence: string;
  message: unknown;
  refersTo: unknown;
  captureTimeNs: string | null;
  unreadable: string | null;
}
interface Answer {
  messages: Item[];
  cursor: string;
  newGeneration: boolean;
  missed: string;
}

const rings = new TestRings("api-messages");
const declared = [
  { name: "words", encoding: "utf8", payloadCapacity: 100, slots: 4 } as const,
  { name: "packed", encoding: "msgpack", payloadCapacity: 100 } as const,
];
const api = new TestApi(rings, [smallCamera], { declared });
afterAll(() => api.close());

const pathOf = (name: string) => `/api/v1/streams/${name}/messages`;
const request = (body: string): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body,
});

async function post(name: string, body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await api.fetch(pathOf(name), request(text));
  expect(response.status).toBe(201);
  return (await response.json()) as { cursor: string; sequence: string; generation: string };
}

const refused = (name: string, status: number, body: unknown) =>
  api.problem(pathOf(name), status, request(JSON.stringify(body)));
const get = (name: string, query = "") => api.json<Answer>(pathOf(name) + query);
const values = (answer: Answer) => answer.messages.map(({ message }) => message);

describe("POST", () => {
  test("makes the stream, which programs read like any other", async () => {
    const first = await post("notes", { message: { label: "cup" } });
    expect(first.cursor).toBe(`${first.generation}.1`);
    using reader = await openReader("notes", { prefix: rings.prefix });
    expect(reader.latest()?.message).toEqual({ label: "cup" });
    expect((await post("notes", { message: null })).sequence).toBe("2");
    expect(await reader.next({ timeoutMs: 5000 }).then((frame) => frame?.message)).toBeNull();
    const { kind, encoding, state } = await api.json("/api/v1/streams/notes");
    expect([kind, encoding, state]).toEqual(["message", "json", "live"]);
  });

  test("keeps what the message refers to, and every digit", async () => {
    const generation = "0123456789abcdef0123456789abcdef";
    const captureTimeNs = "9007199254740993";
    const refersTo = { stream: "cam", generation, sequence: "18446744073709551614", captureTimeNs };
    const refersToText = JSON.stringify(refersTo);
    await post("exact", `{"message": [9007199254740993, 1.10, -0], "refersTo": ${refersToText}}`);
    const text = await (await api.fetch(pathOf("exact"))).text();
    expect(text).toContain('"message":[9007199254740993,1.10,-0]');
    const [item] = (JSON.parse(text) as Answer).messages;
    expect(item?.refersTo).toEqual(refersTo);
    expect(item?.captureTimeNs).toBe(captureTimeNs);
    await post("exact", { message: 1, refersTo, captureTimeNs: "7" });
    expect((await get("exact")).messages[1]?.captureTimeNs).toBe("7");
  });

  test("by the encoding that the config declares", async () => {
    await post("words", { message: "Größe 眼" });
    expect(values(await get("words"))).toEqual(["Größe 眼"]);
    expect((await refused("words", 400, { message: 7 })).detail).toContain("utf8");
    await post("packed", { message: "gaFhAQ==" });
    using reader = await openReader("packed", { prefix: rings.prefix });
    expect(reader.latest()?.message).toEqual({ a: 1 });
    expect(values(await get("packed"))).toEqual(["gaFhAQ=="]);
    expect((await refused("packed", 400, { message: "not base64!" })).detail).toContain("base64");
  });

  test("too large: 413 that names the setting, and the stream lives on", async () => {
    expect((await refused("words", 413, { message: "x".repeat(101) })).detail).toContain(
      "payloadCapacity",
    );
    expect((await refused("words", 413, { message: "x".repeat(100_000) })).detail).toContain(
      "payloadCapacity",
    );
    await refused("unborn", 413, { message: "x".repeat(16_384) });
    expect(rings.exists("unborn")).toBe(false);
    await post("words", { message: "x".repeat(100) });
  });

  test("to a name that is somebody else's: 409", async () => {
    rings.writer("webcam", camera);
    api.registry.scan();
    expect((await refused("webcam", 409, { message: 1 })).detail).toContain(`${process.pid}`);
    expect((await refused("cam", 409, { message: 1 })).detail).toContain('sensor "cam"');
    await refused("cam.left", 409, { message: 1 });
    expect(rings.exists("cam.left")).toBe(false);
  });

  test.each([
    ["no object", [1]],
    ["no message", {}],
    ["a key that there is not", { message: 1, capture: 2 }],
    ["a time that is a number", { message: 1, captureTimeNs: 5 }],
    ["a time beyond 64 bits", { message: 1, captureTimeNs: "18446744073709551615" }],
    ["half a reference", { message: 1, refersTo: { stream: "cam" } }],
  ])("%s: 400, and no stream is made", async (_, body) => {
    await refused("never", 400, body);
    expect(rings.exists("never")).toBe(false);
  });

  test("what is no JSON, no stream's name, no JSON type, or from a foreign page is refused", async () => {
    await api.problem(pathOf("never"), 400, request("{"));
    await api.problem(pathOf("NEVER"), 400, request('{"message": 1}'));
    await api.problem(pathOf("never"), 415, { method: "POST", body: '{"message": 1}' });
    const origin = { "Content-Type": "application/json", Origin: "http://evil.example" };
    await api.problem(pathOf("never"), 403, { method: "POST", headers: origin, body: "{}" });
    expect(rings.exists("never")).toBe(false);
  });

  test("64 streams may be made so; declared ones are not counted", async () => {
    const crowd = new TestApi(new TestRings("api-crowd"), [], { declared });
    const send = (name: string) => crowd.fetch(pathOf(name), request('{"message": 1}'));
    for (let i = 0; i < 64; i++) expect((await send(`m${i}`)).status).toBe(201);
    const { detail } = await crowd.problem(pathOf("m64"), 503, request('{"message": 1}'));
    expect(detail).toContain("`messages`");
    expect((await crowd.fetch(pathOf("words"), request('{"message": "a"}'))).status).toBe(201);
    await crowd.close();
  });
});

describe("GET", () => {
  test("gives what came after the cursor, and where to go on", async () => {
    for (const n of [1, 2, 3]) await post("count", { message: n });
    const all = await get("count");
    expect(values(all)).toEqual([1, 2, 3]);
    expect(all).toMatchObject({ newGeneration: false, missed: "0" });
    expect(values(await get("count", `?after=${all.messages[0]?.cursor}`))).toEqual([2, 3]);
    expect(values(await get("count", `?after=${all.messages[0]?.cursor}&limit=1`))).toEqual([2]);
    const none = await get("count", `?after=${all.cursor}`);
    expect(none).toMatchObject({ messages: [], cursor: all.cursor });
    await post("count", { message: 4 });
    expect(values(await get("count", `?after=${none.cursor}`))).toEqual([4]);
  });

  test("counts what was overwritten, in a ring that keeps three", async () => {
    const { cursor } = await post("words", { message: "first" });
    for (const n of [1, 2, 3, 4, 5]) await post("words", { message: `${n}` });
    const answer = await get("words", `?after=${cursor}`);
    expect(values(answer)).toEqual(["3", "4", "5"]);
    expect(answer.missed).toBe("2");
  });

  test("says that a new generation began", async () => {
    const writer = rings.writer("other", { kind: "message", dtype: "|u1", shape: [100] });
    writer.publish("a");
    const { cursor } = await get("other");
    writer.renew();
    writer.publish("b");
    const answer = await get("other", `?after=${cursor}`);
    expect(values(answer)).toEqual(["b"]);
    expect(answer).toMatchObject({ newGeneration: true, cursor: `${writer.generation}.1` });
  });

  test("a message that is not what its stream says does not hide the others", async () => {
    const writer = rings.writer("broken", { kind: "message", dtype: "|u1", shape: [100] });
    writer.publish(Buffer.from("{"));
    writer.publish("whole");
    const { messages } = await get("broken");
    expect(messages.map(({ message }) => message)).toEqual([null, "whole"]);
    expect(messages[0]?.unreadable).toContain("not json");
  });

  test("of a camera, of nothing, after no cursor, with a limit of 0", async () => {
    rings.writer("pictures", camera);
    expect((await api.problem(pathOf("pictures"), 404)).detail).toContain("kind video");
    await api.problem(pathOf("nothing"), 404);
    expect((await api.problem(`${pathOf("notes")}?after=7`, 400)).detail).toContain("<generation>");
    await api.problem(`${pathOf("notes")}?limit=0`, 400);
  });
});

describe("server-sent events", () => {
  const listen = async (name: string, headers: Record<string, string> = {}) =>
    readEvents(
      await api.fetch(pathOf(name), { headers: { accept: "text/event-stream", ...headers } }),
    );

  test("each message with its cursor as id, and a client goes on where it was", async () => {
    await post("told", { message: 1 });
    const events = await listen("told");
    const first = await events.next();
    expect(first).toMatchObject({ event: "message", data: { message: 1, missed: "0" } });
    await post("told", { message: 2 });
    expect(await events.next()).toMatchObject({ event: "message", data: { message: 2 } });
    await events.close();
    const again = await listen("told", { "Last-Event-ID": first.id });
    expect((await again.next()).data.message).toBe(2);
    await again.close();
  });

  test("a new generation and the end of the stream are said", async () => {
    const spec = { kind: "message", dtype: "|u1", shape: [100] } satisfies StreamSpec;
    const writer = rings.writer("restarted", spec);
    writer.publish("a");
    const events = await listen("restarted");
    const { id } = await events.next();
    writer.renew();
    writer.publish("b");
    const { generation } = writer;
    expect(await events.next()).toMatchObject({
      event: "generation",
      data: { generation, before: id },
    });
    expect((await events.next()).data).toMatchObject({ message: "b", generation });
    writer.close();
    expect(await events.next()).toMatchObject({ event: "gone", data: { name: "restarted" } });
    rings.writer("restarted", spec).publish("c");
    expect((await events.next()).event).toBe("generation");
    expect((await events.next()).data.message).toBe("c");
    await events.close();
  });
});

test("at the hub's end the streams are retired and gone", async () => {
  await post("brief", { message: 1 });
  using reader = await openReader("brief", { prefix: rings.prefix });
  api.messages.close();
  await until(() => reader.state === "retired");
  expect(rings.exists("brief")).toBe(false);
});
