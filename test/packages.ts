/**
 * The one list of what tests need beyond npm. A test asks for the program itself (`Bun.which`) and is
 * skipped where it is missing; test/run.ts installs what it may and names what it may not.
 */
import { existsSync } from "node:fs";

export interface NeededPackage {
  /** As Debian calls it. */
  name: string;
  /** What cannot be tested without it. */
  purpose: string;
  /** Programs, or absolute paths, that show that it is there: whoever installed them. */
  provides: string[];
}

export const neededPackages: NeededPackage[] = [
  {
    name: "gcc",
    purpose: "the C header, the shim built with -O2, the sanitizers",
    provides: ["cc"],
  },
  {
    name: "libc6-dev",
    purpose: "everything that is compiled",
    provides: ["/usr/include/stdio.h"],
  },
  { name: "g++", purpose: "the C header as C++17", provides: ["c++"] },
  { name: "python3", purpose: "the Python client", provides: ["python3"] },
  { name: "python3-venv", purpose: "NumPy and vermin", provides: ["python3 -m ensurepip"] },
  { name: "pypy3", purpose: "the Python client under a second interpreter", provides: ["pypy3"] },
  { name: "ffmpeg", purpose: "video files and streams to read", provides: ["ffmpeg", "ffprobe"] },
  { name: "chromium", purpose: "the page in a browser", provides: ["chromium"] },
  { name: "git", purpose: "which files are tracked", provides: ["git"] },
  { name: "strace", purpose: "counts of system calls", provides: ["strace"] },
  {
    name: "util-linux",
    purpose: "readers of another user and in other namespaces",
    provides: ["setpriv", "unshare", "nsenter"],
  },
];

/** What is not there, by looking for the programs: a compiler from elsewhere is as good. */
export function missingPackages(): NeededPackage[] {
  return neededPackages.filter((needed) => !needed.provides.every(isThere));
}

function isThere(what: string): boolean {
  const [program = "", flag, module] = what.split(" ");
  if (program.startsWith("/")) return existsSync(program);
  if (!Bun.which(program)) return false;
  return flag !== "-m" || Bun.spawnSync([program, "-c", `import ${module}`]).success;
}
