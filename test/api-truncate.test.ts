/**
 * A stranger cuts his ring short, grows it again or takes it away while its pictures are fetched. The hub
 * runs in a process of its own, since what this guards against would end the process: to see it fail, let
 * newestFrame in src/api/newest.ts take the payload from `Bun.mmap(stream.segment.path)`.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { PNG } from "pngjs";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { TestRings, until } from "./rings.ts";

const rounds = 40;
const spec: StreamSpec = {
  kind: "video",
  dtype: "|u1",
  shape: [480, 640, 3],
  pixelFormat: "bgr24",
};
const rings = new TestRings("api-cut");
let hub: Subprocess<"ignore", "pipe", "inherit">;
let url = "";

beforeAll(async () => {
  const fixture = join(import.meta.dir, "fixtures/serve-api.ts");
  hub = Bun.spawn([process.execPath, fixture, rings.prefix], { stdout: "pipe", stderr: "inherit" });
  const { value } = await hub.stdout.getReader().read();
  url = new TextDecoder().decode(value).trim();
});

afterAll(async () => {
  hub.kill();
  await hub.exited;
  await rings.close();
});

test("the hub lives, and hands out no picture that is not whole", async () => {
  rings.writer("safe", spec).publish(new Uint8Array(640 * 480 * 3));
  const whole = await Bun.file(rings.path("safe")).bytes();
  const seen = new Map<number, number>();
  for (let round = 0; round < rounds; round++) {
    rings.foreign("cut", whole);
    await until(async () => (await ask("cut/latest")).ok);
    const size = statSync(rings.path("cut")).size;
    const answers = ["png", "jpg", "bin", "npy", "png", "bin"].map((extension) =>
      ask(`cut/latest.${extension}`),
    );
    await Bun.sleep(Math.random() * 4); // anywhere within the requests
    truncateSync(rings.path("cut"), round % 3 === 0 ? 0 : Math.floor(Math.random() * size));
    if (round % 4 === 0) truncateSync(rings.path("cut"), size); // zeros where a frame was
    for (const answer of answers) await checked(await answer, seen);
    rmSync(rings.path("cut"));
    expect((await ask("safe/latest.png")).status).toBe(200);
  }
  expect(hub.exitCode).toBeNull();
  // Both must have happened, or the cut never met a request.
  expect(seen.get(200)).toBeGreaterThan(0);
  expect((seen.get(503) ?? 0) + (seen.get(404) ?? 0)).toBeGreaterThan(0);
});

function ask(path: string): Promise<Response> {
  return fetch(`${url}/api/v1/streams/${path}`);
}

async function checked(response: Response, seen: Map<number, number>): Promise<void> {
  seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
  const body = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get("content-type");
  if (response.status !== 200) {
    expect([404, 503]).toContain(response.status);
    expect(type).toBe("application/problem+json");
    return;
  }
  if (type === "image/png") expect(PNG.sync.read(body).height).toBe(480);
  if (type === "application/octet-stream")
    expect(body.length).toBeGreaterThanOrEqual(640 * 480 * 3);
}
