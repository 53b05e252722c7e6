/** The app without a port, over real rings and, where asked, real sensors. */
import "./real-modules.ts";
import { expect } from "bun:test";
import { createApp } from "../src/api/app.ts";
import { type DeclaredMessages, MessageStreams } from "../src/messages/message-streams.ts";
import { StreamRegistry } from "../src/streams/streams.ts";
import { sweepStreams } from "../src/streams/sweep.ts";
import {
  createSupervisor,
  type Supervisor,
  type SupervisorOptions,
} from "../src/supervisor/supervisor.ts";
import type { TestRings } from "./rings.ts";

/** A camera that starts in no time and makes little work. */
export const smallCamera = { kind: "rand-camera", name: "cam", width: 16, height: 8, fps: 20 };

export class TestApi {
  readonly registry: StreamRegistry;
  readonly supervisor: Supervisor;
  readonly messages: MessageStreams;
  readonly app: ReturnType<typeof createApp>;

  constructor(
    readonly rings: TestRings,
    sensors: { kind: string; name: string; parts?: string[] }[] = [],
    {
      declared = [],
      ...options
    }: Pick<SupervisorOptions, "kindsModule" | "timing"> & { declared?: DeclaredMessages[] } = {},
  ) {
    const { prefix, directory } = rings;
    this.registry = new StreamRegistry({ prefix });
    this.supervisor = createSupervisor({
      sensors: sensors.map((config) => ({
        name: config.name,
        kind: config.kind,
        config,
        streams: [{ name: config.name, spec: {} }],
        parts: config.parts ?? [""],
      })),
      ...options,
      prefix,
      group: null,
      directory,
      sweep: (names) => sweepStreams(prefix, names, directory),
    });
    this.messages = new MessageStreams({ prefix, group: null, directory, declared });
    this.app = createApp({
      registry: this.registry,
      supervisor: this.supervisor,
      messages: this.messages,
      sinks: () => [],
    });
  }

  /** As Bun.serve calls it on 127.0.0.1:7766. */
  async fetch(path: string, init: RequestInit = {}, base = "http://127.0.0.1:7766") {
    const server = { hostname: "127.0.0.1", port: 7766 };
    return this.app.request(base + path, init, { server });
  }

  /** The body of a 200. */
  async json<Body = Record<string, unknown>>(path: string): Promise<Body> {
    const response = await this.fetch(path);
    expect(response.status).toBe(200);
    return (await response.json()) as Body;
  }

  /** The body of an error, after checking what RFC 9457 and the contract ask of each. */
  async problem(path: string, status: number, init: RequestInit = {}, base?: string) {
    const response = await this.fetch(path, init, base);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ status, instance: path.replace(/\?.*/, "") });
    expect(response.status).toBe(status);
    expect(body.type).toStartWith("urn:streamem:problem:");
    expect(String(body.detail).length).toBeGreaterThan(20);
    return { ...body, title: String(body.title), detail: String(body.detail), response };
  }

  async close(): Promise<void> {
    await this.supervisor.close();
    this.messages.close();
    this.registry.close();
    await this.rings.close();
  }
}
