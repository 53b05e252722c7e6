// A memory cgroup whose limit is about what a ring needs: there the kernel's own bookkeeping decides, page tables and the
// index of the pages, which the cgroup pays for too. A ring or an error in words, never SIGKILL.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  cleanUpAfterwards,
  compiler,
  finish,
  freshPrefix,
  program,
  skipping,
} from "./ring-programs.ts";

cleanUpAfterwards();

const KiB = 1024;
const payload = 10 * KiB * KiB;
const ring = 4 * KiB + 4 * (4 * KiB + payload); // a page for header and descriptor, a page for each slot's header
const kinds = [
  { parent: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", events: "memory.oom_control" },
  { parent: "/sys/fs/cgroup", limit: "memory.max", events: "memory.events" },
];

/** A memory cgroup with this limit, or null where none can be made. */
function newCgroup(name: string, bytes: number) {
  for (const { parent, limit, events } of kinds) {
    const path = join(parent, name);
    try {
      mkdirSync(path);
      writeFileSync(join(path, limit), `${bytes}`);
    } catch {
      if (existsSync(path)) rmdirSync(path); // not this kind, or not allowed
      continue;
    }
    return {
      inside: (command: string[]) => [
        ...["sh", "-c", `echo $$ > ${path}/cgroup.procs && exec "$@"`, "sh"],
        ...command,
      ],
      kills: () => Number(readFileSync(join(path, events), "utf8").match(/^oom_kill (\d+)/m)?.[1]),
      [Symbol.dispose]: () => rmdirSync(path),
    };
  }
  return null;
}

function works(): boolean {
  using cgroup = newCgroup(`t${process.pid}-probe`, ring);
  return cgroup !== null;
}
const cgroups = works();
if (!cgroups) skipping("a memory limit of just a ring's size", "it takes root and a memory cgroup");

/** How a writer ends in a cgroup with room for its ring and so many KiB more. */
async function startWith(more: number): Promise<string> {
  const prefix = freshPrefix();
  using cgroup = newCgroup(prefix, ring + more * KiB) as NonNullable<ReturnType<typeof newCgroup>>;
  const command = [program("writer"), prefix, "s", "slots", "4", "bytes", `${payload}`];
  const { stdout, ended } = await finish(cgroup.inside(command));
  const inWords = /^error 28 .*needs \d+ bytes.* \d+ are available|^ready /m.test(stdout);
  return `${inWords ? "" : `${more} KiB more: `}${ended}, ${cgroup.kills()} killed`;
}

// Take out "reserve" in streamem_room: the writer is killed where the limit leaves 200 to 400 KiB beside the ring.
test.skipIf(!cgroups || !compiler)("an error in words or a ring", async () => {
  const steps = Array.from({ length: 24 }, (_, i) => 100 * i);
  const ends = new Set(await Promise.all(steps.map(startWith)));
  expect([...ends].sort()).toEqual(["exit 0, 0 killed", "exit 1, 0 killed"]); // both: the steps go over the edge
});
