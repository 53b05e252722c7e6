/** What this user may do: give rings to a group, have a folder for doorbells, open the port. */
import { join } from "node:path";
import { groupId } from "../../config/group.ts";
import { listen } from "../../listen.ts";
import { doorbellFolder } from "../../ring/doorbell.ts";
import { hubUrl } from "../settings.ts";
import { broken, brokenBy, type Finding, type HubConfig, ok } from "./finding.ts";

/** Only a member may give a file to a group. */
export function group({ group: name }: HubConfig): Finding[] {
  if (name === null) return [];
  const gid = groupId(name);
  const uid = process.geteuid?.() ?? 0;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if (gid !== null && (uid === 0 || groups.includes(gid))) return [ok("group", name)];
  const remedy = `As root: usermod -aG ${name} the user, who then logs in again.`;
  return [broken("group", `this user is not in ${name}, and cannot give it the rings`, remedy)];
}

/** A socket's path is limited, a folder's is not. */
const socketPathMax = 107;

export function doorbells({ group, prefix, sensors }: HubConfig): Finding {
  const about = "doorbell folder";
  const shorter = "Set STREAMEM_DIR to a folder of your own with a short path (mode 0700).";
  try {
    const gid = group === null ? undefined : (groupId(group) ?? undefined);
    const folder = doorbellFolder({ group: gid });
    const names = sensors.flatMap((sensor) => sensor.streams.map((stream) => stream.name));
    const paths = names.map((name) => join(folder, `${prefix}.${name}.sock`));
    const long = paths.find((path) => Buffer.byteLength(path) > socketPathMax);
    if (!long) return ok(about, folder);
    return broken(about, `${long} has more than ${socketPathMax} bytes`, shorter);
  } catch (error) {
    return brokenBy(about, error, shorter);
  }
}

export async function port({ host, port, ...rest }: HubConfig): Promise<Finding> {
  const about = "port";
  const url = hubUrl({ host, port, ...rest });
  if (await isHub(url)) return ok(about, `a hub runs at ${url}`);
  try {
    await listen(host, port, () => new Response()).stop(true);
    return ok(about, `${port} is free`);
  } catch (error) {
    return brokenBy(about, error, "Choose another with --port.");
  }
}

async function isHub(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/api/v1/layout`, { signal: AbortSignal.timeout(2000) });
    return answer.ok && "segmentHeader" in ((await answer.json()) as object);
  } catch {
    return false; // nobody there, or somebody else: asked next by trying to open the port
  }
}
