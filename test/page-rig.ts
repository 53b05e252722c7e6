/** A hub in a process of its own and a browser that looks at it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import type { StreamBody } from "../src/api/schemas.ts";
import { TestRings, until } from "./rings.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("google-chrome") ?? undefined;
export const hasBrowser = executablePath !== undefined;
if (!hasBrowser) console.warn("SKIPPED: the page in a browser; install the package chromium");

const main = join(import.meta.dir, "../src/main.ts");
const noGpu = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];

export class PageRig {
  readonly rings: TestRings;
  /** What a page must not do: fail, break its policy, ask anybody else. */
  readonly faults: string[] = [];
  hub!: Subprocess<"ignore", "pipe", "inherit">;
  url = "";
  browser!: Browser;
  page!: Page;
  readonly #folder = mkdtempSync(join(tmpdir(), "streamem-page-"));

  constructor(label: string) {
    this.rings = new TestRings(label);
  }

  /** @param command another program than the hub's; it says its address in its first line */
  async open(config = "sensors: []", command?: string[]): Promise<void> {
    await this.startHub(config, command);
    this.browser = await chromium.launch({ executablePath, args: noGpu });
    this.page = await this.openPage(this.faults);
  }

  async startHub(config = "sensors: []", command?: string[], port = 0): Promise<void> {
    const file = join(this.#folder, "streamem.yaml");
    writeFileSync(file, config);
    const flags = ["--json", "--config", file, "--port", String(port), "--host", "127.0.0.1"];
    const words = command ?? [process.execPath, main, "hub", ...flags];
    const env = { ...this.rings.environment, STREAMEM_LOG: "error" };
    this.hub = Bun.spawn(words, { env, stdout: "pipe", stderr: "inherit" });
    const { value } = await this.hub.stdout.getReader().read();
    const line = new TextDecoder().decode(value).trim();
    this.url = line.startsWith("{") ? JSON.parse(line).url : line;
  }

  async stopHub(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.hub.kill("SIGCONT");
    this.hub.kill(signal);
    await this.hub.exited;
  }

  /** At the same address, as a user's would be. */
  async startAgain(config?: string): Promise<void> {
    await this.startHub(config, undefined, Number(new URL(this.url).port));
  }

  async openPage(faults: string[]): Promise<Page> {
    const page = await this.browser.newPage({ viewport: { width: 1400, height: 1400 } });
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("request", (request) => {
      if (!/^(blob:)?http:\/\/127\.0\.0\.1:|^data:/.test(request.url())) faults.push(request.url());
    });
    return page;
  }

  tile(name: string): Locator {
    return this.page.getByRole("article", { name, exact: true });
  }

  async words(name: string): Promise<string> {
    return (await this.tile(name).textContent()) ?? "";
  }

  stage(name: string): Locator {
    return this.tile(name).locator(".stage");
  }

  /** A tile's number, by the name that stands above it. */
  async fact(name: string, fact: string): Promise<string> {
    return (await this.tile(name).locator(`[data-fact=${fact}] dd`).textContent()) ?? "";
  }

  async stream(name: string): Promise<StreamBody> {
    return (await fetch(`${this.url}/api/v1/streams/${name}`)).json() as Promise<StreamBody>;
  }

  async close(): Promise<void> {
    await this.browser?.close();
    if (this.hub) await this.stopHub();
    await this.rings.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Red, green, blue and alpha of a canvas's picture at shares of its width and height. */
export function colourAt(canvas: Locator, x: number, y: number): Promise<number[]> {
  return canvas.evaluate(
    (element, [x, y]) => {
      const shown = element as HTMLCanvasElement;
      const copy = new OffscreenCanvas(shown.width, shown.height);
      const context = copy.getContext("2d") as OffscreenCanvasRenderingContext2D;
      context.drawImage(shown, 0, 0);
      const at = [Math.floor(x * shown.width), Math.floor(y * shown.height)] as const;
      return [...context.getImageData(...at, 1, 1).data];
    },
    [x, y] as const,
  );
}

/** Waits until the middle of a canvas has another colour than now. */
export async function untilPixelsMove(canvas: Locator): Promise<void> {
  const before = String(await colourAt(canvas, 0.5, 0.5));
  await until(async () => String(await colourAt(canvas, 0.5, 0.5)) !== before);
}

/** Waits until the colour there is near this one: JPEG changes it a little. */
export function untilColour(
  canvas: Locator,
  [x, y]: readonly [number, number],
  wanted: readonly number[],
): Promise<unknown> {
  return until(async () => {
    const seen = await colourAt(canvas, x, y);
    return wanted.every((part, index) => Math.abs(part - (seen[index] ?? 0)) < 30);
  });
}
