/** A hub of its own for a measurement, and what its processes take. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface StartedHub {
  /** Of its API. */
  url: string;
  /** Process ids by what they are: the hub, and each sensor. */
  pids: Map<string, number>;
  end(): Promise<void>;
}

/** Waits until the file that the hub writes to says that it runs. */
async function startedLine(path: string, hub: Bun.Subprocess): Promise<{ url: string }> {
  for (;;) {
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    const line = lines.find((line) => line.includes('"event":"started"'));
    if (line !== undefined) return JSON.parse(line);
    if (hub.exitCode !== null) throw new Error(`the hub ended: ${lines.join(" ").slice(-300)}`);
    await Bun.sleep(20);
  }
}

/** Starts the hub in `folder` (without a configuration there: with its built-in default), on a port of its own. */
export async function startHub(
  command: string[],
  folder: string,
  environment: Record<string, string>,
): Promise<StartedHub> {
  const output = join(folder, "hub.out");
  writeFileSync(output, "");
  const hub = Bun.spawn(command, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdout: Bun.file(output),
    stderr: Bun.file(join(folder, "hub.err")),
  });
  const { url } = await startedLine(output, hub);
  const answer = await fetch(`${url}/api/v1/sensors`);
  const { sensors } = (await answer.json()) as { sensors: { name: string; pid: number }[] };
  const pids = new Map([["hub", hub.pid], ...sensors.map(({ name, pid }) => [name, pid] as const)]);
  return {
    url,
    pids,
    async end() {
      hub.kill("SIGTERM");
      await hub.exited;
    },
  };
}

const ticksPerSecond = 100; // USER_HZ, the same on every Linux that Bun runs on

/** Seconds of CPU time of a process with all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** ns of CPU time of a process's threads that live, by the scheduler's own count. */
export function cpuNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
    return sum + Number(text.split(" ")[0]);
  }, 0);
}

/** MB (10^6 bytes) of a process: resident, proportional, and what of that is shared memory. */
export function memoryMb(pid: number): { rss: number; pss: number; pssShared: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mb = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN) * 1024) / 1e6;
  return { rss: mb("Rss"), pss: mb("Pss"), pssShared: mb("Pss_Shmem") };
}
