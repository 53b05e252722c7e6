// Who rings and who is at the door: producers to kill, guests without any client's code, other users, other namespaces.
import { afterAll } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { StreamSpec } from "../src/ring.ts";
import { isRoot, Talk } from "./ring-programs.ts";

const root = join(import.meta.dir, "..");

/** What the guests' producers publish. */
export const frameSpec = {
  kind: "tensor",
  dtype: "|u1",
  shape: [64],
} satisfies StreamSpec;

/** A user's numbers. They need no entry in /etc/passwd. */
export interface User {
  uid: number;
  gid: number;
  groups: number[];
}

/** The group that the tests' streams are shared with, one user in it and one who is not. */
export const sharedGroup = 54320;
export const member: User = { uid: 54321, gid: 54321, groups: [sharedGroup] };
export const outsider: User = { uid: 54322, gid: 54322, groups: [] };

/** A folder that other users may enter. Theirs to see, too: what they run is copied into it. */
export class OpenFolder {
  readonly path = mkdtempSync(join(tmpdir(), "streamem-bell-"));

  constructor() {
    chmodSync(this.path, 0o755);
  }

  /** Where a copy lies that everybody may run and read. */
  put(source: string): string {
    const copy = join(this.path, basename(source));
    if (!existsSync(copy)) copyFileSync(source, copy);
    chmodSync(copy, 0o755);
    return copy;
  }
}

function asUser({ uid, gid, groups }: User): string[] {
  const more = groups.length > 0 ? `--groups=${groups.join(",")}` : "--clear-groups";
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, more];
}

/** Python that another user can run: one under somebody's home cannot be. */
export const python = ["/usr/bin/python3", "/usr/local/bin/python3", Bun.which("python3")].find(
  (path) => {
    if (!path || !existsSync(path)) return false;
    const command = [...(isRoot ? asUser(outsider) : []), path, "-c", "import asyncio, mmap"];
    return Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).success;
  },
) as string | undefined;

/** Whether this process may start others as other users. */
export const canBeOthers = isRoot && python !== undefined && Bun.which("setpriv") !== null;
/** Whether it may also have namespaces of its own. */
export const canUnshare =
  canBeOthers &&
  Bun.spawnSync(["unshare", "-mpni", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"])
    .success;

const running: Talk[] = [];

/** Ends what the tests of a file have started, and removes their folder. */
export function endAfterwards(folder: OpenFolder): void {
  afterAll(async () => {
    for (const talk of running) {
      talk.child.stdin.end(); // for those behind unshare, which a signal would not reach
      if (talk.child.killed || talk.child.exitCode !== null) continue;
      talk.child.kill("SIGKILL");
    }
    await Promise.all(running.map((talk) => talk.child.exited));
    rmSync(folder.path, { recursive: true, force: true });
  });
}

/** Starts a program that is ended with the tests. */
export function started(command: string[], env: Record<string, string> = {}): Talk {
  const talk = new Talk(command, { PYTHONDONTWRITEBYTECODE: "1", ...env });
  running.push(talk);
  return talk;
}

/** What test/fixtures/doorbell-guest.py can do, and what it answers. */
export class Guest {
  readonly talk: Talk;

  constructor(folder: OpenFolder, user?: User) {
    const script = folder.put(join(root, "test/fixtures/doorbell-guest.py"));
    this.talk = started([...(user ? asUser(user) : []), python as string, script]);
  }

  async ask<Answer = number>(verb: string, ...more: unknown[]): Promise<Answer> {
    return JSON.parse(await this.talk.ask(JSON.stringify([verb, ...more]))) as Answer;
  }

  connect(path: string, times = 1): Promise<Record<string, number>> {
    return this.ask("connect", path, times);
  }
}

/** What a guest says of one of its connections. */
export interface Given {
  generation: string;
  bell: string;
  bellNonBlocking: boolean;
  ringReadOnly: boolean;
  magic: string;
}

/** A TypeScript writer in a process of its own; see test/fixtures/doorbell-producer.ts. */
export async function producer(name: string, options: object): Promise<Talk & { first: string }> {
  const script = join(root, "test/fixtures/doorbell-producer.ts");
  const talk = started([process.execPath, script, name, JSON.stringify(options)]);
  return Object.assign(talk, { first: (await talk.line()).replace("ready ", "") });
}

/** What the follower says of itself when asked. */
export interface Counts {
  wakeups: number;
  frames: number;
  generation: string;
  same: boolean;
  state: string;
  missed: number;
  pids: string[];
  shm: string[];
  uid: number;
}

/** A reader by the Python client in an event loop; see test/fixtures/doorbell-follower.py. */
export class Follower {
  readonly talk: Talk;
  readonly #generations: { generation: string; seq: number; value: number }[] = [];

  constructor(
    folder: OpenFolder,
    name: string,
    env: Record<string, string>,
    before: string[] = [],
  ) {
    const script = folder.put(join(root, "test/fixtures/doorbell-follower.py"));
    folder.put(join(root, "clients/python/streamem.py"));
    this.talk = started([...before, python as string, script, name], env);
  }

  /** The next generation that it comes to. */
  async comesTo(): Promise<{ generation: string; seq: number; value: number }> {
    return this.#generations.shift() ?? JSON.parse(await this.talk.line());
  }

  async counts(): Promise<Counts> {
    this.talk.say("counts");
    for (;;) {
      const said = JSON.parse(await this.talk.line());
      if ("wakeups" in said) return said;
      this.#generations.push(said);
    }
  }

  async end(): Promise<void> {
    this.talk.child.stdin.end();
    await this.talk.child.exited;
  }
}

/**
 * The words before a command that run it as in a container: mount, pid, net and ipc namespaces of its own, nothing in
 * /dev/shm, nothing of the host but the sockets' folder, which it finds at `inside`; as another user.
 */
export function contained(sockets: string, inside: string, user: User): string[] {
  const steps = `mount -t tmpfs tmpfs /dev/shm && mount --bind "$1" "$2" && mount -t tmpfs tmpfs "$1" && mount -t proc proc /proc && shift 2 && exec "$@"`;
  const namespaces = ["unshare", "-mpni", "--fork", "--kill-child"];
  return [...namespaces, "sh", "-c", steps, "sh", sockets, inside, ...asUser(user)];
}
