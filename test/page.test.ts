/**
 * The page in a real browser, on a hub in a process of its own. To see these fail: in src/web/page.ts leave
 * out `forget`, `back`, or the `generation` in cardOf; in src/web/card.ts the word of the state; in
 * src/web/previews.ts use innerHTML for a message; in src/api/guard.ts or docs.ts tighten the policy.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Browser, chromium, type Page } from "playwright-core";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import type { RingWriter } from "../src/ring.ts";
import { camera, TestRings, until } from "./rings.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("google-chrome") ?? undefined;
if (!executablePath) console.warn("SKIPPED: the page in a browser; install the package chromium");

const rings = new TestRings("page");
const attacks = "<img src=x onerror=globalThis.taken=1>";
let hub: Subprocess<"ignore", "pipe", "inherit">;
let url = "";
let browser: Browser;
let page: Page;
/** What a page must not do: fail, break its policy, ask anybody else. */
const faults: string[] = [];

async function startHub(port = "0"): Promise<void> {
  const fixture = join(import.meta.dir, "fixtures/serve-api.ts");
  const command = [process.execPath, fixture, rings.prefix, port];
  hub = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const { value } = await hub.stdout.getReader().read();
  url = new TextDecoder().decode(value).trim();
}

async function openPage(faults: string[]): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 1200, height: 2000 } });
  opened.on("pageerror", (error) => faults.push(error.message));
  opened.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  opened.on("request", (request) => {
    if (!/^(blob:)?http:\/\/127\.0\.0\.1:|^data:/.test(request.url())) faults.push(request.url());
  });
  return opened;
}

describe.skipIf(!executablePath)("in a browser", () => {
  const writers: Record<string, RingWriter> = {};

  beforeAll(async () => {
    await startHub();
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath, args });
    page = await openPage(faults);
    for (const [name, spec] of Object.entries(streams)) writers[name] = rings.writer(name, spec);
    writers.cam?.publish(new Uint8Array(72).fill(200));
    writers.mic?.publish(Float32Array.from([0.5, -0.5, 0.5, -0.5, 0, 0, 0, 0]));
    writers.imu?.publish(Float32Array.from([9, 9, 9, 1.5, -9.8125, 0.25]));
    writers.said?.publish(new TextEncoder().encode(JSON.stringify({ words: attacks })));
    await page.goto(url);
  });

  afterAll(async () => {
    await browser?.close();
    hub?.kill();
    await hub?.exited;
    await rings.close();
  });

  const card = (name: string) => page.getByRole("article", { name, exact: true });
  const words = async (name: string) => (await card(name).textContent()) ?? "";

  test("each stream has a card with its state in a word, its shape and its rate", async () => {
    for (const name of Object.keys(streams)) await card(name).waitFor();
    expect(await page.getByRole("status").textContent()).toBe("5 streams");
    for (const part of ["live", "6 × 4 bgr24", "Rate–"]) expect(await words("cam")).toContain(part);
    for (let count = 0; count < 20; count++) writers.cam?.publish(new Uint8Array(72));
    await until(async () => /Rate[\d.]+\/s/.test(await words("cam")));
  });

  test("a picture is shown, and a newer one after it", async () => {
    const image = card("cam").getByRole("img", { name: "Newest picture of cam" });
    await image.waitFor();
    expect(await image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(6);
    const before = await image.getAttribute("src");
    writers.cam?.publish(new Uint8Array(72).fill(9));
    await until(async () => (await image.getAttribute("src")) !== before);
  });

  test("sound has a level for each channel", async () => {
    const level = (channel: number) =>
      card("mic").getByRole("meter", { name: `Level of mic, channel ${channel}` });
    await level(2).waitFor();
    expect(await level(1).getAttribute("aria-valuenow")).toBe("-6.0");
    expect(await level(2).getAttribute("aria-valuetext")).toBe("silent");
  });

  test("an IMU shows its newest sample", async () => {
    await until(async () => (await words("imu")).includes("x1.50000y-9.81250z0.250000"));
  });

  test("a message is text, whatever stands in it", async () => {
    await card("said").getByText(attacks).waitFor();
    expect(await page.evaluate(() => "taken" in globalThis)).toBeFalse();
  });

  test("a stream without frames says so, and is not asked for any", async () => {
    await card("mute").getByText("No frame yet").waitFor();
    expect(faults).toEqual([]);
  });

  test("a new stream appears, a new generation is taken up, an ended one goes", async () => {
    const writer = rings.writer("late", camera);
    await card("late").waitFor();
    writer.renew({ kind: "message", dtype: "|u1", shape: [16384], encoding: "utf8" });
    writer.publish(new TextEncoder().encode("now a message"));
    await card("late").getByText("now a message").waitFor();
    writer.close();
    await card("late").waitFor({ state: "detached" });
  });

  test("a dead writer's stream stays, and is marked", async () => {
    const child = await rings.producer("victim", camera);
    await card("victim").getByText("live").waitFor();
    child.kill("SIGKILL");
    await card("victim").getByText("dead", { exact: true }).waitFor();
    expect(await page.getByRole("status").textContent()).toContain("1 dead");
  });

  test("a narrow phone needs no scrolling sideways", async () => {
    await page.setViewportSize({ width: 320, height: 700 });
    const [inside, outside] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(inside).toBe(outside);
    await page.setViewportSize({ width: 1200, height: 2000 });
  });

  test("nothing failed, broke the policy or went elsewhere so far", () => {
    expect(faults).toEqual([]);
  });

  test("a hub that goes away is told, and back when it is", async () => {
    const { port } = new URL(url);
    hub.kill();
    await hub.exited;
    await page.getByRole("alert").getByText("The hub has been away since").waitFor();
    expect(await card("cam").isVisible()).toBeTrue();
    await startHub(port);
    await page.getByRole("alert").waitFor({ state: "hidden" });
    rings.writer("afterwards", camera);
    await card("afterwards").waitFor();
  });

  test("the docs show every route with nothing from elsewhere", async () => {
    const faults: string[] = [];
    const docs = await openPage(faults);
    await docs.goto(`${url}/docs`);
    await docs.getByText("/api/v1/streams/{name}/latest.png").waitFor();
    expect(await docs.locator(".opblock").count()).toBeGreaterThan(12);
    expect(faults).toEqual([]);
  });
});

const streams: Record<string, StreamSpec> = {
  cam: { ...camera, rate: 30 },
  mic: { kind: "audio", dtype: "<f4", shape: [2, 4], sampleRateHz: 48_000, channels: 2 },
  imu: { kind: "imu", dtype: "<f4", shape: [2, 3], units: "m/s^2" },
  said: { kind: "message", dtype: "|u1", shape: [16384], encoding: "json" },
  mute: { kind: "tensor", dtype: "<f4", shape: [4] },
};
