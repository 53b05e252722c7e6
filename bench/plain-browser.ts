/**
 * A browser that nobody drives or listens to, as a user's: no script of ours is in its page, and its
 * debugger is spoken to for moments only. One that is driven keeps, for its driver, what it hears.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { chromiumCommand } from "./page-browser.ts";

const size = "1440,960";

export interface PlainBrowser {
  /** Result of one method of the page's debugger (chromedevtools.github.io/devtools-protocol). Throws its error. */
  ask(method: string): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** @param folder for its profile; eight tiles of the page are seen at once */
export async function openPlainBrowser(url: string, folder: string): Promise<PlainBrowser> {
  const profile = join(folder, "profile");
  const own = [`--user-data-dir=${profile}`, `--window-size=${size}`, "--remote-debugging-port=0"];
  const browser = Bun.spawn([...chromiumCommand(), ...own, url], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const port = await portOf(profile, browser);
  return {
    async ask(method) {
      const socket = new WebSocket(await pageSocket(port, url));
      const answer = new Promise<string>((resolve, reject) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onclose = () => reject(new Error("the browser's debugger has hung up"));
      });
      socket.onopen = () => socket.send(JSON.stringify({ id: 1, method }));
      const { result, error } = JSON.parse(await answer);
      socket.close();
      if (error) throw new Error(`${method}: ${error.message}`);
      return result;
    },
    async close() {
      browser.kill();
      await browser.exited;
    },
  };
}

/** The browser writes it once it listens. */
async function portOf(profile: string, browser: Subprocess): Promise<string> {
  while (browser.exitCode === null) {
    await Bun.sleep(50);
    try {
      return readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n")[0] as string;
    } catch {}
  }
  throw new Error(`chromium ended with ${browser.exitCode}`);
}

async function pageSocket(port: string, url: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
  const targets = (await answer.json()) as { url: string; webSocketDebuggerUrl: string }[];
  const page = targets.find((target) => target.url.startsWith(url));
  if (!page) throw new Error(`the browser shows no page of ${url}`);
  return page.webSocketDebuggerUrl;
}
