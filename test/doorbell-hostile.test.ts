// A reader of another user, in the group that the stream is shared with, who means harm: it changes nothing for the writer, for an
// honest reader or for the writer's successor. Beside each test stands what to take out to see it fail.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { openReader } from "../src/ring.ts";
import {
  canBeOthers,
  endAfterwards,
  type Given,
  Guest,
  member,
  OpenFolder,
  outsider,
  producer,
  sharedGroup,
  started,
} from "./doorbell-rig.ts";
import {
  cleanUpAfterwards,
  compiler,
  freshPrefix,
  leftovers,
  program,
  skipping,
  type Talk,
} from "./ring-programs.ts";
import { until } from "./rings.ts";

if (!canBeOthers) skipping("readers of other users", "not root, or no python3, or no setpriv");

cleanUpAfterwards();
setDefaultTimeout(60_000); // only so that a test that hangs ends
const folder = new OpenFolder();
endAfterwards(folder);

/** A shared stream, its socket, and all that a member of the group can see of it. */
function place() {
  const prefix = freshPrefix();
  const directory = join(folder.path, `bells-${prefix}`);
  const path = join(directory, `${prefix}.s.sock`);
  const ring = `/dev/shm/${prefix}.s`;
  const lock = `/dev/shm/.${prefix}.s.lock`;
  return {
    options: { prefix, directory, group: sharedGroup },
    prefix,
    directory,
    path,
    ring,
    lock,
  };
}

/**
 * A writer in C for 200 frames a second, its doorbell in a folder that the group may enter. The ring holds 20 s of
 * them: who misses one was held up, and not without CPU for a moment.
 */
async function run200(shared: ReturnType<typeof place>): Promise<Talk> {
  const first = await producer("s", shared.options); // makes the folder as a hub does
  await first.ask("close");
  const group = String(sharedGroup);
  const more = ["slots", "4096", "bell", shared.path, "group", group];
  const writer = started([program("writer"), shared.prefix, "s", ...more]);
  expect(await writer.line()).toBe("trying");
  expect(await writer.line()).toStartWith("ready ");
  return writer;
}

const denied = expect.stringMatching(/^(?:EACCES|EPERM)$/);

describe.skipIf(!canBeOthers)("a reader of another user", () => {
  // Take out "fchown(w->ring_fd" or make 0640 0660 in streamem__place; give bell->ring_fd's writable twin in streamem__bell_send.
  test("cannot write the ring, nor shorten or remove it", async () => {
    const { options, path, ring, prefix } = place();
    const writer = await producer("s", options);
    const guest = new Guest(folder, member);
    expect(await guest.connect(path)).toEqual({ accepted: 1 });
    expect(await guest.ask<Given>("given", 0)).toEqual({
      generation: writer.first,
      bell: "socket", // not the two-sided eventfd: streamem__bell_make
      bellNonBlocking: true,
      ringReadOnly: true,
      magic: "STREAMEM",
    });
    expect(await guest.ask<object>("spoil", ring)).toEqual({
      reopen: denied,
      "reopen to write": denied,
      "open the name": denied,
      truncate: "EINVAL", // it is not open for writing
      "truncate the name": denied,
      write: "EBADF",
      map: denied,
      mode: denied,
      punch: "EBADF",
      unlink: denied,
    });
    expect(await writer.ask("publish 100")).toBe("sequence 100");
    await writer.ask("close");
    expect(leftovers(prefix)).toEqual([]);
  });

  // Raise STREAMEM_BELL_STRANGERS_MAX: the honest reader finds no place. Set `stranger` to 0 in streamem__bell_accept: the same, and
  // the bells are eventfds, which the test above refuses.
  test.skipIf(!compiler)(
    "holds up neither the writer nor an honest reader, whatever it does with its bells",
    async () => {
      const shared = place();
      const writer = await run200(shared);
      const guest = new Guest(folder, member);
      expect(await guest.connect(shared.path, 1000)).toEqual({ accepted: 64, refused: 936 });

      const command = [program("reader"), shared.prefix, "s", "epoll", "1000000", "60000"];
      const honest = started(command, { STREAMEM_DIR: shared.directory });
      await until(() => waitsOnDoorbell(honest.pid));
      const reader = await openReader("s", { prefix: shared.prefix });
      expect(await reader.next({ timeoutMs: 0 })).toBeNull();
      const delivered = countFrames(reader);

      // A reader begins with the newest frame: both have the first before there is another.
      expect(await writer.ask("publish 1")).toBe("sequence 1");
      await honest.line();
      await until(() => delivered.count === 1n);
      writer.say("run 5000");
      expect(await guest.ask<object>("tamper")).toEqual({ written: 0, reopened: "ENXIO" });
      expect(await guest.connect(shared.path, 1000)).toEqual({ refused: 1000 });
      const noise = new Guest(folder, { ...member, uid: member.uid + 7 });
      expect(await noise.ask<string[]>("garbage", shared.path, 300)).toContain("EPROTOTYPE");
      expect(await noise.connect(shared.path, 500)).toEqual({ accepted: 64, refused: 436 });
      expect(await noise.ask("close_bells")).toBeGreaterThanOrEqual(64);
      expect(await noise.ask("all_ended")).toBeGreaterThanOrEqual(64); // the writer is not held by SIGPIPE, and lets go of them
      expect(await guest.ask<number[]>("readable", 20)).toHaveLength(64); // never read: full, and nobody minds
      const enough = delivered.count + 600n;
      do {
        await noise.ask("let_go");
        await noise.connect(shared.path, 100);
        await noise.ask("garbage", shared.path, 20);
      } while (delivered.count < enough);
      await guest.ask("let_go");

      const last = BigInt((await writer.ask("stop")).replace("sequence ", ""));
      expect(last).toBeGreaterThan(600n);
      await until(() => delivered.count >= last);
      expect(delivered.count).toBe(last);
      expect(reader.missed).toBe(0n);
      reader.close();
      // It comes to a new generation when it has taken all of the old one.
      expect(await writer.ask("renew")).toStartWith("generation ");
      expect(await writer.ask("publish 1")).toBe("sequence 1");
      await honest.line();
      honest.child.stdin.end();
      expect(JSON.parse(await honest.line())).toMatchObject({
        deliveries: Number(last) + 1,
        generations: 2,
        missed: 0,
        torn: 0,
        state: "live",
      });
      expect(await writer.ask("close")).toBe("closed");
      await writer.child.exited;
    },
  );

  // Take out MSG_NOSIGNAL in streamem__bell_ring: SIGPIPE ends the program that called streamem_bell_stop.
  test.skipIf(!compiler).each(["renew", "close"])(
    "cannot end the writer by throwing its bell away before %s",
    async (verb) => {
      const shared = place();
      const writer = await run200(shared);
      const guest = new Guest(folder, member);
      await guest.connect(shared.path, 3);
      expect(await guest.ask("close_bells")).toBe(3);
      expect(await writer.ask(verb)).toMatch(/^generation |^closed$/);
      expect(await guest.ask("all_ended")).toBe(3);
      if (verb === "renew") expect(await writer.ask("publish 1")).toBe("sequence 1");
      writer.child.stdin.end();
      expect(await writer.child.exited).toBe(0);
    },
  );

  // Make the lock file's mode 0644 in streamem__lock_take: the successor is refused while the guest lives.
  test("that holds a lock on all it can open keeps no successor out", async () => {
    const { options, path, ring, lock, prefix, directory } = place();
    const writer = await producer("s", options);
    const guest = new Guest(folder, member);
    await guest.connect(path, 3);
    const all = [ring, lock, path, directory, "/dev/shm"];
    expect((await guest.ask<Record<string, string>>("lock", all))[ring]).toBe("EAGAIN"); // the writer's
    await writer.kill();
    expect(await guest.ask("all_ended")).toBe(3);
    expect(await guest.ask<object>("lock", all)).toMatchObject({ [ring]: "done", [lock]: denied });
    expect(leftovers(prefix)).toEqual([`.${prefix}.s.lock`, `${prefix}.s`]);
    const successor = await producer("s", options);
    expect(successor.first).not.toBe(writer.first);
    expect(await successor.ask("publish 3")).toBe("sequence 3");
    await successor.ask("close");
    expect(leftovers(prefix)).toEqual([]);
  });
});

// Make 0750 0755 in src/ring/doorbell.ts for the first, 0660 0666 in streamem__bell_listen for the second, 0640 0644 in
// streamem__place for the ring.
test.skipIf(!canBeOthers)(
  "a user outside the group can neither open the ring nor connect",
  async () => {
    const { options, path, ring, lock, directory } = place();
    const writer = await producer("s", options);
    const guest = new Guest(folder, outsider);
    expect(await guest.ask<string>("try_open", ring)).toBe("EACCES");
    expect(await guest.ask<string>("try_open", lock)).toBe("EACCES");
    expect(await guest.connect(path)).toEqual({ EACCES: 1 });
    expect(await guest.ask<string>("try_open", directory)).toBe("EACCES");
    chmodSync(directory, 0o755); // where somebody has opened the folder, the socket is still closed
    expect(await guest.connect(path)).toEqual({ EACCES: 1 });
    expect(await writer.ask("readers")).toBe("readers 0");
    await writer.ask("close");
  },
);

/** Whether that process has a doorbell's eventfd. */
function waitsOnDoorbell(pid: number): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === "anon_inode:[eventfd]";
    } catch {
      return false; // closed since it was listed
    }
  });
}

function countFrames(reader: Awaited<ReturnType<typeof openReader>>): { count: bigint } {
  const delivered = { count: 0n };
  const run = async () => {
    for await (const frame of reader) if (frame.valid()) delivered.count++;
  };
  void run();
  return delivered;
}
