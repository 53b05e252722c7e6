/** The systems to compare with: one file each beside this one, whose first comment says what it offers and what it needs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "../bench.ts";
import { pythonWith, rustLibrary } from "../environment.ts";
import { compileProgram, Program } from "../program.ts";

/** One way to use a system. */
export interface Contender {
  name: string;
  mode: string;
  /** Numbers of readers that it is measured with; else all. */
  readers?: number[];
  /** A file beside it that reads what it writes, in another language. */
  reader?: string;
}

/** What a file's first comment says, after "peer: ", as JSON. */
export interface Peer {
  file: string;
  contenders: Contender[];
  /** Packages of PyPI, with their versions. */
  pip?: string[];
  /** Crates, with their versions. */
  crates?: Record<string, string>;
  /** Programs that must be installed. */
  commands?: string[];
  /** An environment variable without which nobody asked for it. */
  asked?: string;
}

/** What is carried in a turn. */
export interface Load {
  bytes: number;
  readers: number;
  /** Frames in a turn, at `rate` frames/s. */
  paced: number;
  rate: number;
  /** How long it then writes as fast as it can. */
  burstMs: number;
}

const folder = import.meta.dir;
/** Rings and files of each start have a name of their own. */
let started = 0;

/** Every peer there is and that was asked for. */
export function peers(environment: NodeJS.ProcessEnv = process.env): Peer[] {
  return readdirSync(folder)
    .sort()
    .flatMap((file): Peer[] => {
      const text = readFileSync(join(folder, file), "utf8");
      const found = (/^(?:#|\/\/) peer: (.*)$/m.exec(text) ??
        /^\/\* peer: ([\s\S]*?) \*\//.exec(text))?.[1];
      return found ? [{ file, ...JSON.parse(found) }] : [];
    })
    .filter(({ asked }) => asked === undefined || environment[asked]);
}

/** Starts a contender with its readers; throws with the reason where it cannot be had. */
export async function startPeer(
  peer: Peer,
  contender: Contender,
  load: Load,
  context: BenchContext,
): Promise<Program> {
  const missing = (peer.commands ?? []).filter((command) => !Bun.which(command));
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(", ")}`);
  const { bytes, readers, paced, rate, burstMs } = load;
  started++;
  const what = `${contender.name.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}-${started}`;
  const words = [what, contender.mode, bytes, readers, paced, rate, burstMs].map(String);
  const reader = contender.reader ? readerCommand(contender.reader, contender.mode) : [];
  const command = [...writerCommand(peer, context), ...words, ...reader];
  return Program.start(contender.name, command, context.environment);
}

function writerCommand(peer: Peer, context: BenchContext): string[] {
  const path = join(folder, peer.file);
  if (peer.file.endsWith(".py")) return [...python(peer.pip ?? []), path];
  if (peer.file.endsWith(".c")) return [compileProgram(path, ["-O3"], context)];
  const library = rustLibrary(path, peer.crates ?? {});
  return [
    compileProgram(join(folder, "peer.c"), ["-O3", library, "-ldl", "-lm"], context, peer.file),
  ];
}

const python = (packages: string[]) => [pythonWith(packages), join(folder, "peer.py")];

function readerCommand(file: string, mode: string): string[] {
  const path = join(folder, file);
  if (file.endsWith(".ts")) return [process.execPath, path];
  return [...python(peers().find((peer) => peer.file === file)?.pip ?? []), "--reader", path, mode];
}
