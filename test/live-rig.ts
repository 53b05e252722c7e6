/** The API on a real port, and those who look at its streams. */
import { listen } from "../src/listen.ts";
import { TestApi } from "./api.ts";
import { LiveClient } from "./live-client.ts";
import { TestRings } from "./rings.ts";

export class LiveRig {
  readonly rings: TestRings;
  readonly api: TestApi;
  readonly url: string;
  readonly #stop: () => Promise<void>;
  readonly #clients: LiveClient[] = [];

  constructor(label: string) {
    this.rings = new TestRings(label);
    this.api = new TestApi(this.rings);
    const { app } = this.api;
    const server = listen("127.0.0.1", 0, (request, server) => app.fetch(request, { server }));
    this.url = server.url.href.replace(/\/$/, "");
    this.#stop = () => server.stop(true);
  }

  /** Resolves when the connection is open, or was refused. */
  async look(stream: string, query = "", headers?: Record<string, string>): Promise<LiveClient> {
    const client = new LiveClient(this.url, stream, query, headers);
    this.#clients.push(client);
    return await client.opened();
  }

  /** A number of `/metrics`. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = text.split("\n").find((line) => line.startsWith(`${name} `));
    return Number(line?.slice(name.length));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#stop();
    await this.api.close();
  }
}
