/**
 * `bun docs/screenshot.ts [FILE]`: the picture of the README, from a real run: a hub with
 * examples/hololens-simulated.yaml, the simulator beside it, a browser that looks. It takes about a
 * minute, most of which the simulator needs to render what it then replays.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import type { StreamBody } from "../src/api/schemas.ts";

const root = join(import.meta.dir, "..");
const file = process.argv[2] ?? join(import.meta.dir, "page.jpg");
const main = join(root, "src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "streamem-screenshot-"));
const environment = {
  ...process.env,
  STREAMEM_PREFIX: `shot${process.pid}`,
  STREAMEM_DIR: folder,
  STREAMEM_LOG: "error",
};
const patienceMs = 180_000;
/** For lines and spectrograms to fill. */
const settleMs = 12_000;

async function firstLine(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<string> {
  for await (const chunk of child.stdout) return new TextDecoder().decode(chunk);
  throw new Error("it ended without a word");
}

function start(...words: string[]) {
  const command = [process.execPath, main, ...words];
  return Bun.spawn(command, { cwd: root, env: environment, stdout: "pipe", stderr: "inherit" });
}

async function allLive(url: string): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const answer = await fetch(`${url}/api/v1/streams`);
    const { streams } = (await answer.json()) as { streams: StreamBody[] };
    const slow = streams.filter(
      ({ measuredRate, rate, kind }) => kind === "video" && (measuredRate ?? 0) < 0.8 * (rate ?? 0),
    );
    if (streams.length >= 18 && slow.length === 0) return;
    if (performance.now() - startMs > patienceMs) {
      console.warn(`not at their full rate: ${slow.map(({ name }) => name).join(", ")}`);
      return;
    }
    await Bun.sleep(500);
  }
}

const simulator = start("simulate", "hololens");
await firstLine(simulator);
const config = join(folder, "streamem.yaml");
writeFileSync(config, readFileSync(join(root, "examples/hololens-simulated.yaml")));
const hub = start("hub", "--json", "--port", "0", "--config", config);
try {
  const { url } = JSON.parse(await firstLine(hub)) as { url: string };
  await allLive(url);
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  const executablePath = Bun.which("chromium") ?? undefined;
  const browser = await chromium.launch({ executablePath, args });
  const page = await browser.newPage({ viewport: { width: 1480, height: 1400 } });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(url);
  await Bun.sleep(settleMs);
  await shoot(page, file);
  await browser.close();
} finally {
  hub.kill();
  await hub.exited;
  simulator.kill();
  await simulator.exited;
  rmSync(folder, { recursive: true, force: true });
}

async function shoot(page: Page, path: string): Promise<void> {
  await page.screenshot({ path, type: "jpeg", quality: 72 });
  const { size } = Bun.file(path);
  console.log(`${path}: ${Math.round(size / 1000)} kB`);
}
