/**
 * The user's libndi, opened at run time: it is under a licence of its own, so that it is neither part of this
 * project nor a dependency of it.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { bind, openLibrary, type Symbols, textAt } from "./symbols.ts";

export interface Ndi {
  symbols: Symbols;
  /** As the library says it: text with its date and number. */
  version: string;
  /** The file. */
  path: string;
}

/** There is no libndi that this process can use. The message says what was tried, and what to do. */
export class NdiLibraryError extends Error {
  override name = "NdiLibraryError";
}

/** What `NDIlib_find_create_v2` and the like give is of use only after this; the second call is free. */
export function loadNdi(library?: string, environment = process.env): Ndi {
  loaded ??= open(library, environment);
  return loaded;
}

/** One for a process: libndi keeps threads and a state of its own. */
let loaded: Ndi | null = null;

function open(library: string | undefined, environment: NodeJS.ProcessEnv): Ndi {
  const tried: string[] = [];
  for (const candidate of candidates(library, environment)) {
    const failure = openLibrary(candidate);
    if (failure === null) return initialized(candidate);
    tried.push(triedWords(candidate, failure));
  }
  throw new NdiLibraryError(absentWords(tried));
}

/** Where it is looked for, in this order; a bare name is looked for by the loader. */
export function candidates(library: string | undefined, environment: NodeJS.ProcessEnv): string[] {
  const { NDI_RUNTIME_DIR_V6: v6, NDI_RUNTIME_DIR_V5: v5 } = environment;
  return [
    ...(library ? filesOf(resolve(library)) : []),
    ...(v6 ? [resolve(v6, "libndi.so.6")] : []),
    ...(v5 ? [resolve(v5, "libndi.so.5")] : []),
    "libndi.so.6",
    ...inPackage(`@grandi/linux-${process.arch}`),
  ];
}

function filesOf(library: string): string[] {
  const isFolder = statSync(library, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? [join(library, "libndi.so.6"), join(library, "libndi.so.5")] : [library];
}

/** Where somebody installed it in the project's folder. Its own entry is an addon that need not load here. */
function inPackage(name: string): string[] {
  try {
    return [join(dirname(Bun.resolveSync(`${name}/package.json`, import.meta.dir)), "libndi.so.6")];
  } catch {
    return []; // it is not installed: as is usual
  }
}

function initialized(candidate: string): Ndi {
  const path = candidate.includes("/") ? candidate : (mappedPath(candidate) ?? candidate);
  const symbols = bound(candidate, path);
  if (!symbols.NDIlib_initialize()) {
    throw new NdiLibraryError(
      `NDI library ${path} does not run on this processor: NDIlib_initialize failed. It needs SSE4.2 (x86-64); grep sse4_2 /proc/cpuinfo shows whether there is one.`,
    );
  }
  return { symbols, path, version: textAt(symbols.NDIlib_version()) ?? "unknown" };
}

function bound(candidate: string, path: string): Symbols {
  try {
    return bind(candidate);
  } catch (cause) {
    throw new NdiLibraryError(
      `NDI library ${path} is too old, or another library: ${(cause as Error).message}. Version 5 or newer is needed: install the NDI SDK from ndi.video.`,
      { cause },
    );
  }
}

/** Which file the loader took for a bare name. */
function mappedPath(name: string): string | undefined {
  const maps = readFileSync("/proc/self/maps", "utf8");
  return maps
    .split("\n")
    .map((line) => line.slice(line.indexOf("/")))
    .find((path) => path.startsWith("/") && path.includes(`/${name}`));
}

/** "a.so.6: cannot open shared object file: …" of the candidate itself needs no more words than its path. */
function triedWords(candidate: string, failure: string): string {
  const own = `${candidate}: cannot open shared object file: No such file or directory`;
  return failure === own ? candidate : `${candidate} (${failure})`;
}

const missingAvahi = /libavahi-(?:client|common)\.so\.3: cannot open shared object file/;

/** Where only a library that it links to is missing, that is what there is to install. */
function absentWords(tried: string[]): string {
  const found = tried.find((words) => missingAvahi.test(words));
  if (found) {
    return `NDI library found, but it cannot be loaded: ${found}. Install libavahi-client3 (Debian, Ubuntu: apt-get install libavahi-client3; its daemon is not needed).`;
  }
  return `NDI library not found. Tried: ${tried.join(", ")}. Install the NDI SDK from ndi.video, set NDI_RUNTIME_DIR_V6 to its folder, or for a trial: bun add -d @grandi/linux-x64`;
}
