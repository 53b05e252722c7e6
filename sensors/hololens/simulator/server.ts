/**
 * A headset that is not there: every stream port and remote configuration, as the app on the device serves
 * them. A client cannot tell by the bytes.
 */
import { join } from "node:path";
import { needsResearchMode, queryPorts, streamPorts } from "../wire/ports.ts";
import type { Connection } from "./connection.ts";
import { createDevice, type Device, restartDevice } from "./device.ts";
import type { ClockSettings } from "./device-clock.ts";
import { type Fault, type PortName, portNames } from "./fault-kinds.ts";
import { createFaults } from "./faults.ts";
import { createPort, type DevicePort } from "./port.ts";
import { serveRemote } from "./remote-session.ts";
import { serveStream } from "./session.ts";

export interface SimulatorOptions {
  /** Where it listens, an IPv4 address; default 127.0.0.1. */
  host?: string;
  /** Added to every port of the protocol; default 0. */
  ports?: number;
  /** The film that personal video shows. */
  videoFile?: string;
  clock?: Partial<ClockSettings>;
  faults?: readonly Fault[];
  /** Ports to serve; default: all, and remote configuration. */
  streams?: readonly PortName[];
  /** How long a client may take to say what it wants; default 10 s. */
  configurationLimitMs?: number;
  /** One line, for people. */
  log?(words: string): void;
}

export interface Simulator {
  readonly host: string;
  readonly ports: Record<PortName, number>;
  /** Its state, to look at. */
  readonly device: Device;
  connections(name: PortName): Omit<DevicePort, "port" | "open" | "close">;
  /** @returns takes it back */
  fault(fault: Fault): () => void;
  /** Away for so many seconds. Resolves when it is back, with a clock that began anew. */
  reboot(awaySeconds: number): Promise<void>;
  /** Ends every connection and waits for it. */
  close(): Promise<void>;
}

const film = join(import.meta.dir, "../../../test/data/bbb-720p.mp4");
/** Most devices run for a while before somebody streams: an hour. */
const usualClock: ClockSettings = { offsetTicks: 36_000_000_000n, driftPpm: 0 };

export function portOf(name: PortName): number {
  return name === "remote-configuration" ? queryPorts.remote_configuration : streamPorts[name].port;
}

/** @throws PortTaken in words for the user */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = "127.0.0.1", ports: offset = 0, videoFile = film, log = () => {} } = options;
  const { streams: served = portNames, configurationLimitMs = 10_000 } = options;
  const settings = { videoFile, configurationLimitMs, log };
  let state: "starting" | "there" | "away" | "closed" = "starting";

  const faults = createFaults(onFault);
  const device = createDevice({ ...usualClock, ...options.clock }, faults);
  const ports = new Map<PortName, DevicePort>();
  for (const name of served) {
    const port = portOf(name) + offset;
    const free = () => isFree(name);
    ports.set(name, createPort({ host, port, name, free, serve: (one) => serve(name, one) }));
  }

  function serve(name: PortName, connection: Connection): Promise<void> {
    if (name === "remote-configuration") return serveRemote(device, connection, log);
    return serveStream(device, name, connection, settings);
  }

  function isFree(name: PortName): Promise<void> {
    const isHeld = () => faults.find("busy", name) !== null;
    return faults.until(() => state !== "there" || !isHeld());
  }

  function isRefused(name: PortName): boolean {
    if (state !== "there" || faults.find("refuse", name) !== null) return true;
    return needsResearch(name) && faults.find("no-research-mode", name) !== null;
  }

  function openOrClose(): void {
    for (const [name, port] of ports) {
      if (isRefused(name)) void port.close();
      else port.open();
    }
  }

  function onFault(): void {
    if (state !== "there") return;
    const away = faults.take("reboot", "remote-configuration");
    if (away !== null) void reboot(Number(away));
    else reopen();
  }

  /** While it runs nobody waits for the words of an error. */
  function reopen(): void {
    try {
      openOrClose();
    } catch (error) {
      log((error as Error).message);
    }
  }

  async function reboot(awaySeconds: number): Promise<void> {
    if (state !== "there") return;
    log(`reboots, and is away for ${awaySeconds} s`);
    state = "away";
    openOrClose();
    await Bun.sleep(awaySeconds * 1000);
    if (state !== "away") return;
    restartDevice(device, awaySeconds);
    state = "there";
    reopen();
  }

  async function close(): Promise<void> {
    state = "closed";
    faults.close();
    await Promise.all([...ports.values()].map((port) => port.close()));
  }

  for (const fault of options.faults ?? []) faults.set(fault);
  state = "there";
  try {
    openOrClose();
  } catch (error) {
    await close();
    throw error;
  }
  onFault();

  return {
    ...{ host, device, reboot, close },
    ports: Object.fromEntries(
      [...ports].map(([name, { port }]) => [name, port]),
    ) as Simulator["ports"],
    connections: (name) => ports.get(name) as DevicePort,
    fault: faults.set,
  };
}

function needsResearch(name: PortName): boolean {
  return name !== "remote-configuration" && needsResearchMode(streamPorts[name].family);
}
