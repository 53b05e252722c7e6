/** `streamem simulate ndi`: runs until SIGINT or SIGTERM. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { type Fault, faultHelp, parseFault } from "../../../sensors/ndi/simulator/fault-kinds.ts";
import { parseRate, parseSize, parseSound } from "../../../sensors/ndi/simulator/forms.ts";
import type { Outlet } from "../../../sensors/ndi/simulator/outlet.ts";
import type { Simulator } from "../../../sensors/ndi/simulator/simulator.ts";
import { endAsked } from "../end-asked.ts";
import { CliError, exitCode, type GlobalOptions } from "../options.ts";

interface SimulateOptions extends GlobalOptions {
  name: string[];
  video?: string;
  fps?: number;
  size?: { width: number; height: number };
  sound: { sampleRateHz: number; channels: number };
  group: string[];
  library?: string;
  fault: Fault[];
}

const usualName = "streamem";
const usualSize = { width: 1280, height: 720 };
const usualFps = 30;
const usualSound = { sampleRateHz: 48_000, channels: 2 };

export const command = new Command("ndi")
  .option("--name <name>", `of the source (default: ${usualName}); again for each more`, added, [])
  .option("--video <file>", "film with its sound, at its own rate (default: a test picture)")
  .option("--fps <rate>", `pictures a second (default: ${usualFps})`, read(parseRate))
  .option("--size <WxH>", "of the pictures (default: 1280x720, or the film's own)", read(parseSize))
  .option(
    "--sound <HZxN>",
    "sample rate and channels (default: 48000x2)",
    read(parseSound),
    usualSound,
  )
  .option("--group <name>", "who may see it (default: public); again for each more", added, [])
  .option("--library <path>", "libndi: its file or folder")
  .option("--fault <[source/]kind[:value][@seconds]>", "what changes; again for each", fault, [])
  .addHelpText(
    "after",
    `\nIt listens on every address of this machine. Faults, here or as lines on stdin:\n${faultHelp()}`,
  )
  .action(async () => {
    const options = command.optsWithGlobals<SimulateOptions>();
    await checked(options);
    const ending = endAsked();
    const simulator = await opened(options);
    const failed = simulator.run().catch((error: Error) => error);
    await announce(simulator, options);
    for (const one of options.fault) obey(simulator, one, options);
    listen(simulator, options);
    const failure = await Promise.race([ending, failed]);
    simulator.close();
    if (failure instanceof Error) throw new CliError(failure.message);
    process.exit(exitCode.done);
  });

async function checked({ name, video, fps }: SimulateOptions): Promise<void> {
  const twice = name.find((word, i) => name.indexOf(word) !== i);
  if (twice) throw new CliError(`--name ${twice} is given twice.`, exitCode.usage);
  if (video === undefined) return;
  if (fps) throw new CliError("--fps is for the test picture: a film has its own.", exitCode.usage);
  const found = await stat(video).catch(() => null);
  if (found?.isFile()) return;
  throw new CliError(`There is no film "${video}": --video names a file.`, exitCode.usage);
}

/** What is loaded only now needs the native code and libndi, which help does not. */
async function opened(options: SimulateOptions): Promise<Simulator> {
  const { loadNdi } = await import("../../../sensors/ndi/libndi/load.ts");
  const { Outlet: Output } = await import("../../../sensors/ndi/simulator/outlet.ts");
  const { Simulator } = await import("../../../sensors/ndi/simulator/simulator.ts");
  const { group, library, name } = options;
  try {
    const ndi = loadNdi(library);
    const make = await maker(options);
    const names = name.length > 0 ? name : [usualName];
    const sources = names.map((one, i) => make(new Output(ndi, one, group), i));
    return new Simulator(ndi, sources, group);
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}

async function maker({ video, size, fps = usualFps, sound, json }: SimulateOptions) {
  if (video === undefined) {
    const { TestSource } = await import("../../../sensors/ndi/simulator/test-source.ts");
    const form = { ...usualSize, ...size, ...sound, fps, alpha: false, paddingBytes: 0 };
    return (outlet: Outlet, index: number) => new TestSource(outlet, index, form);
  }
  const { FilmSource } = await import("../../../sensors/ndi/simulator/film-source.ts");
  const { loadFfmpeg } = await import("../../../sensors/video/ffmpeg.ts");
  const { listenToFfmpeg } = await import("../../../sensors/video/ffmpeg-log.ts");
  const ffmpeg = await loadFfmpeg();
  const ffmpegLog = listenToFfmpeg(ffmpeg, () => {});
  const log = (words: string) => say({ json }, { event: "log", words }, words);
  const film = { ffmpeg, ffmpegLog, file: resolve(video), size: size ?? null, log };
  return (outlet: Outlet) => new FilmSource(outlet, film);
}

async function announce(simulator: Simulator, options: GlobalOptions): Promise<void> {
  const sources = await simulator.addresses();
  if (options.json)
    return console.log(JSON.stringify({ event: "listening", kind: "ndi", sources }));
  const lines = sources.map(({ name, address }, i) => {
    const here = address === null ? "its address is not known here" : address;
    return { head: `${name}: ${here}`, key: i === 0 ? "mevo" : `mevo${i + 1}`, name };
  });
  console.log(
    [
      "Simulated NDI sources:",
      ...lines.map(({ head }) => `  ${head}`),
      "In streamem.yaml:",
      "",
      "sensors:",
      ...lines.map(
        ({ key, name }) => `  - { kind: ndi, name: ${key}, source: ${JSON.stringify(name)} }`,
      ),
    ].join("\n"),
  );
}

/** A terminal's lines, or another program's. */
function listen(simulator: Simulator, options: GlobalOptions): void {
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (line.trim() === "") return;
    try {
      obey(simulator, parseFault(line.trim()), options);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      say(options, { event: "refused", words: error.message }, error.message);
    }
  });
}

function obey(simulator: Simulator, fault: Fault, options: GlobalOptions): void {
  const done = simulator.apply(fault);
  const what = `${fault.source ?? "all"}: ${fault.kind}`;
  const words = done ? what : `${what} is not possible: no such source, or not with a film`;
  say(options, { event: done ? "fault" : "refused", words }, words);
}

function say({ json }: GlobalOptions, event: Record<string, unknown>, words: string): void {
  if (json) console.log(JSON.stringify(event));
  else console.error(words);
}

function added(text: string, before: string[]): string[] {
  return [...before, text];
}

/** Commander has words of its own around those of a wrong value. */
function read<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function fault(text: string, before: Fault[]): Fault[] {
  return [...before, read(parseFault)(text)];
}
