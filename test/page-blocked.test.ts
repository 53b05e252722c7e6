/**
 * The page behind a proxy that lets no WebSocket through. To see these fail: in src/web/hub/live-feed.ts
 * leave out `#goOverHttp`, or what `#hear` does before it reads the message; in still-feed.ts leave out `compareClocks`.
 */
import { afterAll, beforeAll, describe, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { hasBrowser, PageRig, untilPixelsMove } from "./page-rig.ts";
import { camera, until } from "./rings.ts";

const rig = new PageRig("page-blocked");
const video = { ...camera, shape: [48, 64, 3], rate: 30 };
const depth = {
  kind: "depth",
  dtype: "<u2",
  shape: [48, 64],
  pixelFormat: "gray16le",
  rate: 30,
} satisfies StreamSpec;
const imu = { kind: "imu", dtype: "<f4", shape: [16, 3], rate: 30 } satisfies StreamSpec;

/** What a network's proxy does when it is asked for a tunnel, as a browser asks for each WebSocket. */
let tunnels: "opens" | "refuses" | "says nothing" = "refuses";

async function openProxy(hubUrl: string): Promise<Server> {
  const port = Number(new URL(hubUrl).port);
  const server = createServer((client) => {
    client.once("data", (head) => {
      const tunnel = head.toString("latin1").startsWith("CONNECT ");
      if (tunnel && tunnels === "refuses") return client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      if (tunnel && tunnels === "says nothing") return;
      const hub = connect(port, "127.0.0.1");
      if (tunnel) client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      else hub.write(head);
      client.pipe(hub).pipe(client);
      client.on("close", () => hub.destroy());
      hub.on("error", () => client.destroy());
    });
    client.on("error", () => client.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const banner = () => rig.page.getByText("lets no WebSocket through");
const canvas = (name: string) => rig.stage(name).locator("canvas").first();

/** Flat depths are white, whichever they are. */
async function untilNewer(name: string): Promise<void> {
  const sequence = () => canvas(name).getAttribute("data-sequence");
  const before = await sequence();
  await until(async () => (await sequence()) !== before);
}

/** Runs in the page, before its own scripts: what waits for the next paint waits as in a browser that is too busy. */
function paintLate(): void {
  const [later, paint, lateMs] = [window.setTimeout, window.requestAnimationFrame, 2500];
  window.requestAnimationFrame = (act) => later(() => paint(act), lateMs);
  const atMost = (ms?: number) => (ms === 35 ? lateMs : ms); // Preact's patience with a paint
  window.setTimeout = ((act: TimerHandler, ms?: number) =>
    later(act, atMost(ms))) as typeof setTimeout;
}

describe.skipIf(!hasBrowser)("where no WebSocket gets through", () => {
  let proxy: Server;

  beforeAll(async () => {
    await rig.open();
    proxy = await openProxy(rig.url);
    const server = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    rig.page = await (await rig.browser.newContext({ proxy: { server } })).newPage();
    for (const [name, descriptor] of Object.entries({ cam: video, depth, imu })) {
      await rig.rings.producer(name, descriptor);
    }
  });

  afterAll(async () => {
    await rig.close();
    proxy?.close();
  });

  test.each(["refuses", "says nothing"] as const)(
    "since a proxy %s: pictures move over HTTP, and the page says so",
    async (how) => {
      tunnels = how;
      await rig.page.goto(rig.url);
      await banner().waitFor();
      await untilPixelsMove(canvas("cam"));
      await untilNewer("depth");
      await until(async () => (await rig.stage("cam").getAttribute("data-fresh")) === "yes");
      await rig
        .tile("cam")
        .getByText(/here \d/)
        .waitFor();
      await rig.stage("imu").getByText("none gets through").waitFor();
    },
  );

  // To see it fail: in src/web/hub/live-feed.ts let whoever forgets its `show` forget any.
  test("the view of depths that gives way to one of pictures takes no frames from it, also where paints are late", async () => {
    tunnels = "refuses";
    const { page } = rig;
    rig.page = await page.context().newPage();
    await rig.page.addInitScript(paintLate);
    await rig.page.goto(rig.url);
    await banner().waitFor();
    // Two a second: for longer than a paint is late.
    for (let pictures = 0; pictures < 8; pictures++) await untilNewer("depth");
    await rig.page.close();
    rig.page = page;
  });

  test("the hub stopped: its last picture is not called live", async () => {
    rig.hub.kill("SIGSTOP");
    await rig
      .stage("cam")
      .getByText(/^\d+ s old: the hub does not answer$/)
      .waitFor();
    rig.hub.kill("SIGCONT");
    await until(async () => (await rig.stage("cam").getAttribute("data-fresh")) === "yes");
  });

  test("let through again: by itself the page is live as ever", async () => {
    tunnels = "opens";
    await banner().waitFor({ state: "detached" });
    await untilPixelsMove(canvas("cam"));
    await untilNewer("depth");
    await rig.stage("depth").locator(".scale").waitFor();
    await rig.stage("imu").getByText("none gets through").waitFor({ state: "detached" });
  });
});
