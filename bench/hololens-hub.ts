/** A simulated headset and a hub that receives it, each in a process of its own, and what their rings say. */
import { join } from "node:path";
import { openReader } from "../src/ring.ts";
import type { BenchContext } from "./bench.ts";
import { sensorName } from "./hololens-cases.ts";
import { cpuSeconds, startHub } from "./hub-process.ts";

const main = join(import.meta.dir, "..", "src", "main.ts");

export interface Headset {
  pid: number;
  /** For the sensor's `ports`. */
  ports: number;
  /** Its lines, for people. */
  log(): Promise<string[]>;
  /** Resolves when all that it replays has been made, or after a minute. */
  settled(): Promise<void>;
  end(): Promise<void>;
}

/** Below the ports that the kernel gives away, above the headset's own. */
const portsFrom = 10_000;

/** @param words of the command line beside the ports */
export async function startHeadset(
  { folder }: BenchContext,
  words: string[] = [],
): Promise<Headset> {
  const ports = portsFrom + (process.pid % 6000);
  const log = Bun.file(join(folder, "headset.log"));
  const command = [process.execPath, main, "simulate", "hololens", "--json"];
  const child = Bun.spawn([...command, "--ports", `${ports}`, ...words], {
    stdout: "pipe",
    stderr: log,
    env: process.env,
  });
  const { value } = await child.stdout.getReader().read();
  if (!value) throw new Error(`the simulator ended: ${(await log.text()).slice(-300)}`);
  return {
    ...{ pid: child.pid, ports },
    log: async () => (await log.text()).split("\n").filter(Boolean),
    settled: () => quiet(child.pid),
    async end() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** Rendering and encoding take cores, replaying takes little of one. */
async function quiet(pid: number): Promise<void> {
  const patience = 60;
  for (let second = 0, calm = 0; second < patience && calm < 3; second++) {
    const before = cpuSeconds(pid);
    await Bun.sleep(1000);
    calm = cpuSeconds(pid) - before < 0.4 ? calm + 1 : 0;
  }
}

export interface HeadsetHub {
  url: string;
  hubPid: number;
  /** The processes of the sensor, by part. */
  parts(): Promise<Map<string, Part>>;
  end(): Promise<void>;
}

export interface Part {
  pid: number;
  state: string;
  restarts: number;
  counters: Record<string, number>;
}

/** @param keys of the sensor, `streams` among them */
export async function startHeadsetHub(
  context: BenchContext,
  headset: Pick<Headset, "ports">,
  keys: object,
  environment: Record<string, string> = {},
): Promise<HeadsetHub> {
  const address = { host: "127.0.0.1", ports: headset.ports };
  const sensor = { kind: "hololens", name: sensorName, ...address, ...keys };
  const file = join(context.folder, "hololens.yaml");
  await Bun.write(file, JSON.stringify({ sensors: [sensor] }));
  const command = [process.execPath, main, "hub", "--json", "--port", "0", "--config", file];
  const hub = await startHub(command, context.folder, { ...context.environment, ...environment });
  return {
    url: hub.url,
    hubPid: hub.pids.get("hub") as number,
    async parts() {
      const answer = await fetch(`${hub.url}/api/v1/sensors/${sensorName}`);
      const { parts } = (await answer.json()) as { parts: (Part & { name: string })[] };
      return new Map(parts.map((part) => [part.name, part]));
    },
    end: hub.end,
  };
}

export interface SeenFrame {
  sequence: bigint;
  deviceTime: bigint;
  /** When its last byte was here, and when it was published; CLOCK_MONOTONIC, ns. */
  arrivalNs: bigint;
  publishNs: bigint;
  bytes: number;
}

export interface Watch {
  /** Those seen since it was asked last. */
  take(): SeenFrame[];
  /** Overwritten before they could be looked at. */
  readonly missed: bigint;
  close(): void;
}

/** Looks at the numbers of each frame of a ring and at none of its bytes. */
export async function watchRing(prefix: string, ring: string): Promise<Watch> {
  const reader = await openReader(ring, { prefix, timeoutMs: 60_000 });
  let seen: SeenFrame[] = [];
  const watching = (async () => {
    for await (const { seq, deviceTime, publishTimeNs, fields, data } of reader) {
      seen.push({
        sequence: seq,
        deviceTime: deviceTime ?? 0n,
        arrivalNs: fields.arrival_time_ns as bigint,
        publishNs: publishTimeNs,
        bytes: data.byteLength,
      });
    }
  })();
  watching.catch(() => {}); // closed while it waits
  return {
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    get missed() {
      return reader.missed;
    },
    close: () => reader.close(),
  };
}
