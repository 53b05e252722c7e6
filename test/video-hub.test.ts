/** The main job on real input: a film in the hub, read by a copied Python file, and the same picture over HTTP. */
import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { TestRings } from "./rings.ts";
import { bigBuckBunny, haveFfmpeg, makeFilm, md5 } from "./video-rig.ts";

const rings = new TestRings("video-hub");
const { prefix, directory } = rings;
const environment = { ...process.env, STREAMEM_PREFIX: prefix, STREAMEM_DIR: directory };
afterAll(() => rings.close());

/** A hub as a user starts it. Gives its address, ends when `use` does. */
async function withHub(film: string, use: (url: string) => Promise<void>): Promise<void> {
  const config = join(directory, "hub.yaml");
  writeFileSync(
    config,
    `sensors: [{ kind: video, name: webcam, url: ${film}, loop: true, slots: 64 }]`,
  );
  const main = join(import.meta.dir, "../src/main.ts");
  const words = ["hub", "--json", "--port", "0", "--prefix", prefix, "--config", config];
  const hub = Bun.spawn([process.execPath, main, ...words], {
    env: environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const { value } = await hub.stdout.getReader().read();
    await use((JSON.parse(new TextDecoder().decode(value)) as { url: string }).url);
  } finally {
    hub.kill("SIGTERM");
    expect(await hub.exited).toBe(0);
  }
}

function python(program: string[]): string {
  const folder = join(directory, "elsewhere");
  Bun.spawnSync(["mkdir", "-p", folder]);
  copyFileSync(join(import.meta.dir, "../clients/python/streamem.py"), join(folder, "streamem.py"));
  const done = Bun.spawnSync(["python3", ...program], { cwd: folder, env: environment });
  expect(done.stderr.toString()).toBe("");
  return done.stdout.toString();
}

/**
 * Frames per second as most of the lines say, each of a second in which none was missed. One second may have fewer and the
 * next one more; the first begins in the middle, and the last is as long as the others have left it.
 */
function usualRate(said: string, start: RegExp): number {
  const lines = said.trim().split("\n");
  expect(lines.length).toBeGreaterThan(2);
  const rates = lines.map((line) => {
    expect(line).toMatch(start);
    expect(line).toMatch(/ \d+\.\d frames\/s +missed 0 +live$/);
    return Number(/([\d.]+) frames/.exec(line)?.[1]);
  });
  return rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] as number;
}

describe.skipIf(!Bun.which("python3"))("a film in the hub", () => {
  test("is read by Python at its rate, with none missed, picture and sound", async () => {
    await withHub(bigBuckBunny, async () => {
      const pictures = python(["streamem.py", "webcam", "--seconds", "8"]); // over a round of 5.28 s
      const rate = usualRate(pictures, /^webcam +(?:720 x 1280 x 3|no frame) +/);
      expect(rate).toBeWithin(20, 30);
      const sound = python(["streamem.py", "webcam.audio", "--seconds", "5"]);
      expect(usualRate(sound, /^webcam\.audio +(?:6 x 1024|no frame) +/)).toBeWithin(40, 50);
    });
  });

  test.skipIf(!haveFfmpeg)("is the same picture as latest.png and through Python", async () => {
    // Slow enough that both see one picture before it is gone.
    const film = makeFilm(join(directory, "slow.mp4"), 5, "-r", "0.5", "-c:v", "libx264", "-an");
    const program = [
      "import hashlib, streamem",
      "frame = streamem.open('webcam', 10).newest(10)", // a ring that was just made has none yet
      "print(frame.generation, frame.seq, hashlib.md5(frame.copy()).hexdigest())",
    ].join("\n");
    await withHub(film, async (url) => {
      for (;;) {
        const answer = await fetch(`${url}/api/v1/streams/webcam/latest.png`);
        const png = Buffer.from(await answer.arrayBuffer());
        const [generation, sequence, theirs] = python(["-c", program]).trim().split(" ");
        if (!answer.ok || answer.headers.get("etag") !== `"${generation}.${sequence}"`) continue;
        expect(md5(bgrOf(png))).toBe(theirs as string);
        return;
      }
    });
  });
});

/** The bytes of a bgr24 picture. */
function bgrOf(png: Buffer): Uint8Array {
  const { data, width, height } = PNG.sync.read(png);
  const bgr = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    bgr[3 * i] = data[4 * i + 2] as number;
    bgr[3 * i + 1] = data[4 * i + 1] as number;
    bgr[3 * i + 2] = data[4 * i] as number;
  }
  return bgr;
}
