/**
 * The detector of the README on the real film: boxes of what moves, put back on their frame. To see it fail: publish without
 * `refers_to` in examples/detect_motion.py, or draw on the newest frame in draw_boxes.py while the comparison stands.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { PNG } from "pngjs";
import { openReader } from "../src/ring.ts";
import { pythonPrograms } from "./install.ts";
import { TestRings, until } from "./rings.ts";
import { skipping } from "./skipping.ts";

const root = join(import.meta.dir, "..");
const programs = pythonPrograms();
if (programs.folder === null) skipping("the detector", `no OpenCV: ${programs.why}`);

const rings = new TestRings("detector");
const { prefix, directory } = rings;
const env = { ...process.env, STREAMEM_PREFIX: prefix, STREAMEM_DIR: directory };
const children: Bun.Subprocess[] = [];
afterAll(async () => {
  for (const child of children) child.kill("SIGINT");
  await Promise.all(children.map((child) => child.exited));
  await rings.close();
});

function start(...command: string[]) {
  const child = Bun.spawn(command, { env, cwd: root, stdout: "pipe", stderr: "inherit" });
  children.push(child);
  return child;
}

describe.skipIf(programs.folder === null)("a detector in Python", () => {
  const python = join(programs.folder ?? "", "python3");

  test("publishes boxes that lie on their frame", async () => {
    const config = join(root, "examples/film.yaml");
    start(process.execPath, join(root, "src/main.ts"), "hub", "--config", config, "--port", "0");
    await until(() => rings.exists("film"));
    start(python, join(root, "examples/detect_motion.py"), "film", "detections");
    using film = await openReader("film", { prefix });
    using detections = await openReader("detections", { prefix, timeoutMs: 60_000 });
    const message = await detections.next();
    expect(message?.refersTo).toMatchObject({
      stream: "film",
      generation: film.descriptor.shm.generation,
      captureTimeNs: message?.captureTimeNs,
    });

    const picture = join(directory, "boxes.png");
    const draw = start(python, join(root, "examples/draw_boxes.py"), picture, "detections");
    expect(await new Response(draw.stdout).text()).toMatch(
      /^\d+ boxes on frame \d+ of film, \d+ came/,
    );
    const { width, height, data } = PNG.sync.read(Buffer.from(await Bun.file(picture).bytes()));
    expect([width, height]).toEqual([1280, 720]);
    let green = 0;
    for (let at = 0; at < data.length; at += 4) {
      green += +(data[at] === 0 && data[at + 1] === 255 && data[at + 2] === 0);
    }
    expect(green).toBeGreaterThan(100); // the outline of at least one box
    expect(green).toBeLessThan((width * height) / 4); // and not the picture
  });
});
