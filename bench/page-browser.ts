/** A browser that looks at the page, and counts what it paints from the outside: by the sequence that each canvas names. */
import { readdirSync, readFileSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { monotonicNs } from "../src/ring/ffi.ts";

export interface Painted {
  stream: string;
  sequence: string;
  /** CLOCK_MONOTONIC, ms: after the frame of the browser in which it was painted. */
  atMs: number;
}

declare global {
  var painted: Painted[];
}

/** Path and flags of the browser of both benches. Throws where there is none. */
export function chromiumCommand(): [path: string, ...flags: string[]] {
  const path = Bun.which("chromium");
  if (!path) throw new Error("chromium is missing");
  return [path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
}

export async function openBrowser(): Promise<Browser> {
  const [executablePath, ...args] = chromiumCommand();
  return chromium.launch({ executablePath, args });
}

/** Eight tiles are seen at once. */
export async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 960 } });
  await page.addInitScript(watch, wallMinusMonotonicMs());
  return page;
}

/** Runs in the page, before its own scripts. */
function watch(wallMinusMonotonicMs: number): void {
  globalThis.painted = [];
  const note = ({ target }: MutationRecord) => {
    const canvas = target as HTMLCanvasElement;
    const stream = canvas.getAttribute("aria-label")?.replace(/^.* of /, "") ?? "";
    const { sequence = "" } = canvas.dataset;
    requestAnimationFrame(() => {
      // A message's turn comes after this frame has been painted.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close(); // an open port is held for good, with all that its listener knows
        const atMs = performance.timeOrigin + performance.now() - wallMinusMonotonicMs;
        globalThis.painted.push({ stream, sequence, atMs });
      };
      channel.port2.postMessage(null);
    });
  };
  const observer = new MutationObserver((records) => records.forEach(note));
  const options = { subtree: true, attributes: true, attributeFilter: ["data-sequence"] };
  observer.observe(document, options);
}

/** The browser counts from the wall clock, rings from CLOCK_MONOTONIC; both are of this machine. */
function wallMinusMonotonicMs(): number {
  const before = monotonicNs();
  const wallMs = performance.timeOrigin + performance.now();
  return wallMs - Number(before + monotonicNs()) / 2e6;
}

/** What was painted since the last call. */
export function takePainted(page: Page): Promise<Painted[]> {
  return page.evaluate(() => globalThis.painted.splice(0));
}

/** Process ids of a browser with all its helpers. */
export function browserPids(): number[] {
  return descendants(process.pid).filter((pid) => commandOf(pid).includes("chromium"));
}

/** Those of them that run pages' scripts. */
export function rendererPids(): number[] {
  return browserPids().filter((pid) => commandOf(pid).includes("--type=renderer"));
}

function descendants(parent: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const above = parentOf(Number(entry));
    children.set(above, [...(children.get(above) ?? []), Number(entry)]);
  }
  const all = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...all(child)]);
  return all(parent);
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]);
  } catch {
    return 0; // it has just ended
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
