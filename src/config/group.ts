/** A group of this machine by its name or number. */
import { readFileSync } from "node:fs";

/** @returns its number, null where there is none of this name */
export function groupId(name: string): number | null {
  if (/^\d+$/.test(name)) return Number(name);
  const local = readFileSync("/etc/group", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name);
  return local ? Number(local[2]) : fromDirectory(name);
}

/** Groups of a lab's directory service are not in the file. */
function fromDirectory(name: string): number | null {
  const getent = Bun.which("getent");
  if (!getent) return null;
  const { stdout, success } = Bun.spawnSync([getent, "group", "--", name]);
  const id = stdout.toString().split(":")[2];
  return success && id ? Number(id) : null;
}
