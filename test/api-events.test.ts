/**
 * To see these fail: in src/api/events.ts leave out one `subscribe`, the `finally` (listeners are left
 * behind) or the limit of the queue (a client that does not read fills the hub's memory).
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { smallCamera, TestApi } from "./api.ts";
import { camera, TestRings, until } from "./rings.ts";
import { readEvents } from "./sse.ts";

let api: TestApi;
let rings: TestRings;

beforeEach(() => {
  rings = new TestRings("api-events");
  api = new TestApi(rings, [smallCamera]);
});

afterEach(() => api.close());

async function connected() {
  return readEvents(await api.fetch("/api/v1/events"));
}

test("streams that are added, changed and gone", async () => {
  const events = await connected();
  const writer = rings.writer("a", camera);
  api.registry.scan();
  expect(await events.next()).toMatchObject({
    event: "stream-added",
    data: { name: "a", state: "live", shm: { generation: writer.generation } },
  });
  writer.renew({ ...camera, shape: [2, 2, 3] });
  api.registry.scan();
  expect(await events.next()).toMatchObject({
    event: "stream-changed",
    data: { name: "a", shape: [2, 2, 3] },
  });
  writer.close();
  api.registry.scan();
  expect(await events.next()).toMatchObject({ event: "stream-gone", data: { name: "a" } });
  await events.close();
});

test("states of a sensor", async () => {
  const events = await connected();
  await api.supervisor.start("cam");
  const seen: unknown[] = [];
  while (!seen.includes("running")) {
    const { event, data } = await events.next();
    if (event === "sensor") seen.push(data.state);
    expect(data.name).toBe("cam");
  }
  await api.supervisor.stop("cam");
  await events.close();
});

/** How many listen to the registry's events from now on. */
function listeners(): () => number {
  const { registry } = api;
  const { subscribe } = registry;
  let open = 0;
  registry.subscribe = (listener) => {
    open++;
    const end = subscribe.call(registry, listener);
    return () => {
      open--;
      end();
    };
  };
  return () => open;
}

test("every client gets each event, and no listener is left when they go", async () => {
  const open = listeners();
  const clients = await Promise.all([connected(), connected(), connected()]);
  expect(open()).toBe(3);
  rings.writer("a", camera);
  api.registry.scan();
  for (const client of clients) expect((await client.next()).event).toBe("stream-added");
  for (const client of clients) await client.close();
  await until(() => open() === 0);
});

test("a client that does not read is cut off", async () => {
  const open = listeners();
  await api.fetch("/api/v1/events");
  expect(open()).toBe(1);
  const writer = rings.writer("a", camera);
  for (let turn = 0; turn < 300; turn++) {
    writer.renew();
    api.registry.scan();
  }
  await until(() => open() === 0);
});
