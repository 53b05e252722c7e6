import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import type { Bench, BenchContext, Series } from "./bench.ts";
import { rowsOf } from "./statistics.ts";

const root = join(import.meta.dir, "..");
const kase = "the hub's command, until Python has a frame";
const patienceSeconds = 600;
const readFirst = `
import sys
sys.path.insert(0, "clients/python")
import streamem
with streamem.open("rand-camera", timeout=${patienceSeconds}) as camera:
    print(camera.newest(timeout=60).seq)
`;

/** What the environment may say about caches and the place of this run: nothing of that may help. */
function cleanEnvironment(context: BenchContext, home: string): Record<string, string> {
  const unwanted = /^(npm_|bun_|xdg_|streamem_|node_|init_cwd$)/i;
  const kept = Object.entries(process.env).filter(
    (pair): pair is [string, string] =>
      pair[1] !== undefined && (pair[0] === "NODE_EXTRA_CA_CERTS" || !unwanted.test(pair[0])),
  );
  // npx would take a Bun that is installed globally
  const npm_config_prefix = join(home, "npm");
  return { ...Object.fromEntries(kept), ...context.environment, HOME: home, npm_config_prefix };
}

function clone(folder: string): number {
  const start = performance.now();
  const done = Bun.spawnSync(["git", "clone", "--quiet", root, folder]);
  if (!done.success) throw new Error(`git clone: ${done.stderr.toString().slice(-300)}`);
  return (performance.now() - start) / 1000;
}

/** Starts hub and reader in the clone; seconds until the reader has its first frame. */
async function firstFrame(folder: string, environment: Record<string, string>): Promise<number> {
  const start = performance.now();
  const command = ["npx", "--yes", `bun@${manifest.devDependencies["@types/bun"]}`, "run", "hub"];
  const output = Bun.file(join(folder, "..", "hub.out"));
  const options = { cwd: folder, env: environment };
  const hub = Bun.spawn(["setsid", ...command, "--port", "0"], {
    ...options,
    stdout: output,
    stderr: output,
  });
  const reader = Bun.spawn(["python3", "-c", readFirst], { ...options, stderr: "pipe" });
  const ended = hub.exited.then(() => reader.kill());
  const code = await reader.exited;
  const seconds = (performance.now() - start) / 1000;
  if (hub.exitCode === null) process.kill(-hub.pid, "SIGTERM"); // npx, its shell, and the hub
  await ended;
  if (code !== 0) throw new Error(`no frame: ${(await output.text()).trim().slice(-300)}`);
  return seconds;
}

/** The first two minutes of a new user: clone, the README's command, a frame. Needs the network; by name only. */
export const bench: Bench = {
  name: "fresh",
  title: "From a fresh clone to the first frame in Python",
  usual: false,
  async run(context) {
    const rounds: Series[][] = [];
    for (let round = 0; round < Math.max(1, Math.round(3 * context.share)); round++) {
      const place = mkdtempSync(join(context.folder, "fresh-"));
      const home = join(place, "home");
      mkdirSync(home);
      const environment = cleanEnvironment(context, home);
      const measured: [string, string, number][] = [];
      for (const contender of ["empty package caches", "warm package caches, a new clone"]) {
        const folder = join(place, "clone");
        if (existsSync(folder)) rmSync(folder, { recursive: true });
        measured.push(["git clone from the local disk", contender, clone(folder)]);
        context.say(contender);
        measured.push([kase, contender, await firstFrame(folder, environment)]);
      }
      const again = await firstFrame(join(place, "clone"), environment);
      measured.push([kase, "the same clone once more", again]);
      rounds.push(
        measured.map(([kase, contender, seconds]) => ({
          case: kase,
          contender,
          condition: "",
          samples: [seconds],
        })),
      );
      rmSync(place, { recursive: true });
    }
    return { rows: rowsOf("fresh", "s", rounds, []), absent: [] };
  },
};
