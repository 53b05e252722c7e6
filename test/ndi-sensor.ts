/** NDI sensors and senders as processes in a network of their own, and what readers of their rings see outside of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { ndiConfig } from "../sensors/ndi/config.ts";
import { openReader, type RingReader } from "../src/ring.ts";
import { sweepPrefix } from "../src/streams/sweep.ts";
import type { LogLine } from "../src/supervisor/log-tail.ts";
import type { SensorStatus } from "../src/supervisor/sensor-status.ts";
import { NdiNetwork, ndiEnvironment, ownName } from "./ndi-network.ts";
import { until } from "./rings.ts";

const root = join(import.meta.dir, "..");
const hubProgram = join(import.meta.dir, "fixtures/hub-of-sensor.ts");

interface Listening {
  sources: { name: string; address: string }[];
}

export interface TestSender {
  readonly process: Subprocess<"pipe", "pipe", "inherit">;
  /** `MACHINE (name)`, and `127.0.0.1:port`, of its first source. */
  readonly name: string;
  readonly address: string;
  /** See `streamem simulate ndi --help`. */
  fault(words: string): void;
  kill(): Promise<void>;
}

interface TestStatus extends SensorStatus {
  log: LogLine[];
}

export interface TestSensor {
  /** null before the first was told. */
  readonly status: TestStatus | null;
  /** Each status that was told, oldest first. */
  readonly statuses: TestStatus[];
  /** The first of which this holds, of the present one and those that follow: some are over in milliseconds. */
  until(asked: (status: TestStatus) => boolean): Promise<TestStatus>;
  reader(stream?: string): Promise<RingReader>;
  close(): Promise<void>;
}

export class NdiRig {
  readonly prefix: string;
  readonly directory = mkdtempSync(join(tmpdir(), "streamem-test-"));
  readonly #closing: (() => Promise<void>)[] = [];
  #network: NdiNetwork | null = null;

  constructor(label: string) {
    this.prefix = `t${process.pid}-${label}`;
  }

  async network(): Promise<NdiNetwork> {
    this.#network ??= await NdiNetwork.open();
    return this.#network;
  }

  /** Resolves when it listens. Several names are several sources of one process; each gets this test's pid. */
  async sender(names: string | string[], ...words: string[]): Promise<TestSender> {
    const network = await this.network();
    const program = [process.execPath, join(root, "src/main.ts"), "simulate", "ndi", "--json"];
    // libndi lets a name be sent from once on a machine, whatever the network: other tests send too.
    const named = [names].flat().flatMap((name) => ["--name", ownName(name)]);
    const child = Bun.spawn(network.command(...program, ...named, ...words), {
      env: ndiEnvironment,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#closing.push(() => killed(child));
    const { sources } = await listening(child);
    const [source] = sources;
    if (!source) throw new Error("the simulated sender has no source");
    return {
      ...source,
      process: child,
      fault(words) {
        child.stdin.write(`${words}\n`);
        child.stdin.flush();
      },
      kill: () => killed(child),
    };
  }

  /** Started in a hub of its own. */
  async sensor(keys: Record<string, unknown>): Promise<TestSensor> {
    const config = ndiConfig.parse({ kind: "ndi", name: "cam", ...keys });
    const { prefix, directory } = this;
    const network = await this.network();
    const statuses: TestStatus[] = [];
    const readers: RingReader[] = [];
    const hub = Bun.spawn(network.command(process.execPath, hubProgram), {
      env: ndiEnvironment,
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "advanced",
      ipc: (status: TestStatus) => statuses.push(status),
    });
    hub.send({ prefix, directory, config });
    const close = async () => {
      for (const reader of readers.splice(0)) reader.close();
      if (hub.exitCode === null) hub.disconnect();
      await hub.exited;
    };
    this.#closing.push(close);
    return {
      get status() {
        return statuses.at(-1) ?? null;
      },
      statuses,
      until(asked) {
        const from = Math.max(0, statuses.length - 1);
        return until(() => statuses.slice(from).find(asked));
      },
      async reader(stream = `${config.name}.video`) {
        const reader = await openReader(stream, { prefix, timeoutMs: 30_000 });
        readers.push(reader);
        return reader;
      },
      close,
    };
  }

  /** Ends all that this test has started; the network stays. */
  async end(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
    sweepPrefix(this.prefix, this.directory);
  }

  async close(): Promise<void> {
    await this.end();
    await this.#network?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function killed(child: Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

async function listening(child: Subprocess<"pipe", "pipe", "inherit">): Promise<Listening> {
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let said = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the simulated sender ended: ${said}`);
    said += decoder.decode(value, { stream: true });
    const line = said.split("\n").find((one) => one.includes('"listening"'));
    if (!line) continue;
    reader.releaseLock();
    return JSON.parse(line);
  }
}
