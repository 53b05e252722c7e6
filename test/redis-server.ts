/** A real redis-server in a folder of the test, on a port of its own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisClient } from "bun";
import { until } from "./rings.ts";

export const redisServer = Bun.which("redis-server");
export const password = "not-for-the-log";

/**
 * A port that nobody listens on, and that no connection is given by the kernel until the server has it: below those that
 * it gives.
 */
async function freePort(): Promise<number> {
  const given = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  const least = 2000;
  for (;;) {
    const port = least + Math.floor(Math.random() * (Number.parseInt(given, 10) - least));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

export class TestRedis {
  readonly #folder = mkdtempSync(join(tmpdir(), "streamem-redis-"));
  #child: Bun.Subprocess | null = null;
  #client: RedisClient | null = null;

  private constructor(readonly port: number) {}

  static async create(): Promise<TestRedis> {
    return new TestRedis(await freePort());
  }

  get url(): string {
    return `redis://:${password}@127.0.0.1:${this.port}`;
  }

  /** Resolves when it answers. What it had before is there again. */
  async start(): Promise<void> {
    const settings = {
      port: this.port,
      bind: "127.0.0.1",
      requirepass: password,
      dir: this.#folder,
    };
    const words = Object.entries({
      ...settings,
      appendonly: "yes",
      appendfsync: "always",
      save: "",
    });
    this.#child = Bun.spawn(
      [redisServer as string, ...words.flatMap(([key, value]) => [`--${key}`, `${value}`])],
      { stdout: "ignore", stderr: "inherit" },
    );
    await until(() => this.ask("PING").catch(() => null));
  }

  async kill(): Promise<void> {
    this.#client?.close();
    this.#client = null;
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  /** Stops it in the middle of everything, so that it does not answer; or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  // biome-ignore lint/suspicious/noExplicitAny: Redis answers anything
  async ask(command: string, ...words: (string | number)[]): Promise<any> {
    this.#client ??= new RedisClient(this.url, { autoReconnect: false, enableOfflineQueue: false });
    try {
      if (!this.#client.connected) await this.#client.connect();
      return await this.#client.send(command, words.map(String));
    } catch (error) {
      this.#client.close();
      this.#client = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
