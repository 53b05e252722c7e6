/** Who listens on a TCP port of this machine, as far as /proc lets us see. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface PortOwner {
  pid: number;
  command: string;
}

/** @returns null where nobody is found: the process of another user hides its descriptors */
export function portOwner(port: number): PortOwner | null {
  const inodes = new Set([
    ...listening("/proc/net/tcp", port),
    ...listening("/proc/net/tcp6", port),
  ]);
  if (inodes.size === 0) return null;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || !holdsSocket(name, inodes)) continue;
    return { pid: Number(name), command: commandOf(name) };
  }
  return null;
}

/** Columns: number, local address:port in hex, remote, state (0A is LISTEN), ..., inode as the tenth. */
function listening(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readOrEmpty(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(wanted) && columns[3] === "0A")
    .flatMap((columns) => columns[9] ?? []);
}

function holdsSocket(pid: string, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false; // gone, or another user's
  }
}

function commandOf(pid: string): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).split("\0").join(" ").trim().slice(0, 120);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed between listing and looking
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
