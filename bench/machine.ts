/** What a result must say about where it comes from. */
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { findCompiler } from "../src/ring/build.ts";

/** First line of each run in the result file. */
export interface RunHeader {
  run: string;
  bench: string;
  commit: string;
  /** Files under the measured folders that differ from the commit. */
  changed: string[];
  machine: string;
  versions: Record<string, string>;
  loadBefore: number;
  loadAfter: number;
  seconds: number;
}

const root = join(import.meta.dir, "..");
const measured = ["bench", "clients", "native", "sensors", "src", "package.json"];

function output(command: string[]): string {
  try {
    return Bun.spawnSync(command, { cwd: root }).stdout.toString().trimEnd();
  } catch {
    return ""; // not installed
  }
}

/** Commit of the tree, and what differs from it. Results themselves do not count. */
export function commit(): Pick<RunHeader, "commit" | "changed"> {
  const status = output(["git", "status", "--porcelain", "--", ...measured]);
  const paths = status.split("\n").map((line) => line.slice(3));
  return {
    commit: output(["git", "rev-parse", "--short=10", "HEAD"]) || "unknown",
    changed: paths.filter((path) => path && !/^bench\/(results\/|README)/.test(path)),
  };
}

/** "2 x AMD EPYC, 48 GB, Linux 6.18.44, x64, KVM guest" */
export function machine(): string {
  const cores = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const guest = / hypervisor /.test(readFileSync("/proc/cpuinfo", "utf8"))
    ? ", virtual machine"
    : "";
  return `${cores.length} x ${cores[0]?.model.trim()}, ${memory}, Linux ${release()}, ${process.arch}${guest}`;
}

export function versions(): Record<string, string> {
  const compiler = findCompiler();
  const cc = compiler ? (output([compiler, "--version"]).split("\n")[0] ?? "") : "none";
  return { bun: Bun.version, cc, libc: output(["ldd", "--version"]).split("\n")[0] ?? "" };
}

/** Runnable processes, mean of the last minute: others at work on the same cores. */
export function load(): number {
  return Number((loadavg()[0] as number).toFixed(2));
}
