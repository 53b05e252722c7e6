/** `streamem simulate hololens`: runs until SIGINT or SIGTERM. */
import { stat } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import {
  type Fault,
  type FaultKind,
  faultKinds,
  parseFault,
} from "../../../sensors/hololens/simulator/fault-kinds.ts";
import { endAsked } from "../end-asked.ts";
import { CliError, exitCode, type GlobalOptions } from "../options.ts";

interface SimulateOptions extends GlobalOptions {
  ports: number;
  video?: string;
  clockOffsetS: number;
  clockDriftPpm: number;
  fault: Fault[];
}

const usualOffsetSeconds = 3600;
const centuryInSeconds = 3_200_000_000;

export const command = new Command("hololens")
  .option("--ports <offset>", "added to every port of the device, 3800 to 3821", portOffset, 0)
  .option("--video <file>", "film that personal video shows (default: a short one of ours)")
  .option(
    "--clock-offset-s <seconds>",
    "how far the device's clock is from this machine's CLOCK_MONOTONIC",
    number("seconds", centuryInSeconds),
    usualOffsetSeconds,
  )
  .option("--clock-drift-ppm <ppm>", "how fast it runs", number("ppm", 10_000), 0)
  .option("--fault <stream:kind[:value][@seconds]>", "what goes wrong; again for each", fault, [])
  .addHelpText("after", faultHelp())
  .action(async () => {
    const options = command.optsWithGlobals<SimulateOptions>();
    if (options.video) await checkFilm(options.video);
    const ending = endAsked();
    const simulator = await started(options);
    const { host } = simulator;
    const described = { kind: "hololens", host, ports: options.ports };
    const { json } = options;
    console.log(json ? JSON.stringify({ event: "listening", ...described }) : words(described));
    await ending;
    await simulator.close();
    process.exit(exitCode.done);
  });

async function started(options: SimulateOptions) {
  // Only now: they need the native code, which help does not.
  const { startSimulator } = await import("../../../sensors/hololens/simulator/server.ts");
  const { PortTaken } = await import("../../../sensors/hololens/simulator/port.ts");
  const { host = "127.0.0.1", ports, video, fault: faults, json } = options;
  const { clockOffsetS, clockDriftPpm: driftPpm } = options;
  const clock = { offsetTicks: BigInt(Math.round(clockOffsetS * 1e7)), driftPpm };
  const log = (line: string) =>
    console.error(json ? JSON.stringify({ event: "log", words: line }) : line);
  try {
    return await startSimulator({ host, ports, videoFile: video, clock, faults, log });
  } catch (error) {
    if (error instanceof PortTaken) throw new CliError(error.message);
    if (error instanceof RangeError) throw new CliError(error.message, exitCode.usage);
    throw error;
  }
}

async function checkFilm(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile()) return;
  throw new CliError(`There is no film "${file}": --video names a file.`, exitCode.usage);
}

function words({ host, ports }: { host: string; ports: number }): string {
  const [first, last] = [3800 + ports, 3821 + ports];
  const shift = ports === 0 ? "" : `, ports: ${ports}`;
  const reached = host === "0.0.0.0" ? "<address of this machine>" : host;
  return [
    `A simulated HoloLens 2 listens on ${host}, ports ${first} to ${last}. In streamem.yaml:`,
    "",
    "sensors:",
    `  - { kind: hololens, name: hl, host: ${reached}${shift} }`,
  ].join("\n");
}

function portOffset(text: string): number {
  const offset = Number(text);
  if (/^\d+$/.test(text) && offset <= 61_000) return offset;
  throw new InvalidArgumentError("It is a whole number from 0 to 61000.");
}

function number(unit: string, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Math.abs(value) <= most) return value;
    throw new InvalidArgumentError(`It is a number of ${unit} from -${most} to ${most}.`);
  };
}

function fault(text: string, before: Fault[]): Fault[] {
  try {
    return [...before, parseFault(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function faultHelp(): string {
  const lines = Object.entries(faultKinds).map(([name, kind]: [string, FaultKind]) => {
    const value = kind.value === null ? "" : `:${kind.value}`;
    const usual = kind.usual === undefined ? "" : ` (${kind.usual} where not said)`;
    return `  ${(name + value).padEnd(22)} ${kind.words}${usual}`;
  });
  return `
Where it listens: --host (127.0.0.1; 0.0.0.0 is every address of this machine).

Faults: stream:kind[:value][@seconds], for instance pv:stall:5@20. The stream is one of the configuration's,
remote-configuration, or all. It begins so many seconds after the start, at once where that is not said;
where the value is s (seconds) it lasts so long, for ever where that is not said.
${lines.join("\n")}`;
}
