/**
 * A network of its own for tests of NDI: libndi takes the ports 5960 and up, and what it announces stays inside. Programs
 * are started in it; the test itself, and the rings in /dev/shm, are outside.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { loadNdi } from "../sensors/ndi/libndi/load.ts";
import { ndiLibrary } from "./install.ts";
import { skipping } from "./skipping.ts";

const prepare =
  "ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo && echo ready && exec cat";
const apart = ["unshare", "-rn", "sh", "-c", prepare];

/** A folder with libndi, for NDI_RUNTIME_DIR_V6 and `library`; null where NDI cannot be tested, which is said. */
export const ndiFolder: string | null = usableFolder();

function usableFolder(): string | null {
  const library = ndiLibrary();
  const why = library.folder === null ? library.why : whyNot(library.folder);
  if (why !== null) skipping("NDI with the real libndi", why);
  return why === null ? library.folder : null;
}

function whyNot(folder: string): string | null {
  try {
    loadNdi(folder);
  } catch (error) {
    return (error as Error).message;
  }
  const tried = Bun.spawnSync(apart, { stdin: "ignore", stderr: "pipe" });
  return tried.success ? null : `no network of its own: ${tried.stderr.toString().trim()}`;
}

/** libndi locks a file in /tmp for each name: two senders of one name, on whatever network, are one too many. */
export function ownName(name: string): string {
  return `${name}-${process.pid}`;
}

export class NdiNetwork {
  readonly #holder: Subprocess<"pipe", "pipe", "inherit">;

  private constructor(holder: Subprocess<"pipe", "pipe", "inherit">) {
    this.#holder = holder;
  }

  static async open(): Promise<NdiNetwork> {
    const holder = Bun.spawn(apart, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    const reader = holder.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    return new NdiNetwork(holder);
  }

  /** The words that start a program in it: the process is the program's own, so that its pid takes signals. */
  command(...words: string[]): string[] {
    const target = String(this.#holder.pid);
    return ["nsenter", "-t", target, "-U", "-n", "--preserve-credentials", ...words];
  }

  /** What was started in it ends by itself, or by who started it. */
  async close(): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.exited;
    const ours = new RegExp(`^NTK_SEND_.*-${process.pid}$`);
    for (const file of readdirSync("/tmp")) {
      if (ours.test(file)) rmSync(join("/tmp", file), { force: true });
    }
  }
}

/** For programs that load libndi, in a network of {@link NdiNetwork} or not. */
export const ndiEnvironment = {
  ...process.env,
  NDI_RUNTIME_DIR_V6: ndiFolder ?? undefined,
  NDI_RUNTIME_DIR_V5: undefined,
};
