// The doorbell: a descriptor of one's own that becomes readable on publish, the ring read-only, and an end that is heard. Beside each
// test stands the line of native/doorbell.c (or the clients) without which it fails.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createWriter, openReader } from "../src/ring.ts";
import {
  canUnshare,
  contained,
  endAfterwards,
  Follower,
  frameSpec,
  type Given,
  Guest,
  member,
  OpenFolder,
  producer,
  python,
  sharedGroup,
  started,
} from "./doorbell-rig.ts";
import {
  cleanUpAfterwards,
  compiler,
  freshPrefix,
  leftovers,
  madeFolder,
  program,
  skipping,
  temporaryFolder,
} from "./ring-programs.ts";
import { until } from "./rings.ts";

if (!python) skipping("the doorbell", "no python3 that other users can run");
if (!canUnshare) skipping("a reader in a container", "not root, or namespaces are not allowed");

cleanUpAfterwards();
setDefaultTimeout(60_000); // only so that a test that hangs ends
const folder = new OpenFolder();
endAfterwards(folder);
const payload = new Uint8Array(64);

function place(name: string) {
  const prefix = freshPrefix();
  const directory = temporaryFolder("bell");
  return { prefix, directory, path: join(directory, `${prefix}.${name}.sock`) };
}

describe.skipIf(!python)("a doorbell", () => {
  // Take out streamem__bell_ring in streamem__bell_notify: a publish makes nothing readable. Take it out in
  // streamem__bell_accept: a frame that came while the reader connected is not rung for.
  test("gives each reader an eventfd of its own and the ring, read-only", async () => {
    const { path, ...options } = place("s");
    using writer = createWriter("s", frameSpec, options);
    const guest = new Guest(folder);
    expect(await guest.connect(path, 3)).toEqual({ accepted: 3 });
    await until(() => writer.doorbellReaders === 3);
    for (const i of [0, 1, 2]) {
      expect(await guest.ask<Given>("given", i)).toEqual({
        generation: writer.generation,
        bell: "anon_inode:[eventfd]",
        bellNonBlocking: true,
        ringReadOnly: true, // O_RDONLY in streamem__bell_send
        magic: "STREAMEM",
      });
    }
    expect(await guest.ask("all_readable")).toBe(3); // at first: there may be frames already
    expect(await guest.ask("drain_all")).toBe(0);
    for (let n = 0; n < 20; n++) {
      writer.publish(payload);
      expect(await guest.ask("all_readable")).toBe(3);
      await guest.ask("drain", n % 3);
      expect(await guest.ask<number[]>("readable", 0)).toEqual(
        [0, 1, 2].filter((i) => i !== n % 3), // nobody clears another's
      );
      expect(await guest.ask("drain_all")).toBe(0);
    }
    await guest.ask("let_go");
    await until(() => writer.doorbellReaders === 0);
  });

  // Let streamem__bell_notify begin with the wake word of when it runs: it sleeps through this frame.
  test.skipIf(!compiler)("rings for a frame that came before its notifier ran", async () => {
    const { path, prefix, directory } = place("s");
    madeFolder(directory);
    const start = "static void *streamem__bell_notify(void *argument) {\n";
    const late = program("writer", [], {
      ...{ file: "native/doorbell.c", line: start },
      instead: `${start}  streamem__sleep_ns(500000000);\n`,
    });
    const writer = started([late, prefix, "s", "bell", path]);
    expect(await writer.line()).toBe("trying");
    expect(await writer.line()).toStartWith("ready ");
    const guest = new Guest(folder);
    expect(await guest.connect(path)).toEqual({ accepted: 1 });
    expect(await guest.ask("all_readable")).toBe(1); // for what may be there already
    expect(await guest.ask("drain_all")).toBe(0);
    expect(await writer.ask("publish 1")).toBe("sequence 1");
    expect(await guest.ask("all_readable")).toBe(1);
    await writer.ask("close");
  });

  // Take out shutdown() in streamem_bell_stop, or move it behind streamem__bell_ring: a reader that is woken
  // would look, find nothing, and sleep on.
  test.each(["renew", "close"] as const)(
    "is hung up at %s, before it rings for the last time",
    async (verb) => {
      const { path, ...options } = place("s");
      const writer = createWriter("s", frameSpec, options);
      const guest = new Guest(folder);
      await guest.connect(path, 3);
      expect(await guest.ask("all_readable")).toBe(3);
      await guest.ask("drain_all");
      const rung = guest.ask<boolean>("ended_when_rung");
      writer[verb]();
      expect(await rung).toBe(true);
      expect(await guest.ask("all_ended")).toBe(3);
      const after = await guest.connect(path);
      expect(after).toEqual(verb === "renew" ? { accepted: 1 } : { ENOENT: 1 });
      if (verb === "renew")
        expect((await guest.ask<Given>("given", 3)).generation).toBe(writer.generation);
      writer.close();
      expect(leftovers(options.prefix)).toEqual([]);
    },
  );

  test("is hung up by the kernel when its writer is killed; a successor's takes the place", async () => {
    const { path, ...options } = place("s");
    const writer = await producer("s", options);
    const guest = new Guest(folder);
    await guest.connect(path, 3);
    await writer.kill();
    expect(await guest.ask("all_ended")).toBe(3);
    expect(await guest.connect(path)).toEqual({ ECONNREFUSED: 1 });
    const successor = await producer("s", options);
    expect(await guest.connect(path)).toEqual({ accepted: 1 });
    expect((await guest.ask<Given>("given", 3)).generation).toBe(successor.first);
    await successor.ask("close");
  });

  // Take out "bell->count < STREAMEM_BELL_PEERS_MAX &&": the 257th is written past the end.
  test("refuses the 257th by closing; writer, the 256 and the refused all go on", async () => {
    const { path, ...options } = place("s");
    using writer = createWriter("s", frameSpec, options);
    const guest = new Guest(folder);
    const late = new Guest(folder);
    expect(await guest.connect(path, 256)).toEqual({ accepted: 256 });
    expect(await late.connect(path, 20)).toEqual({ refused: 20 });
    expect(writer.doorbellReaders).toBe(256);
    const reader = await openReader("s", { prefix: options.prefix }); // it waits on the futex
    for (let n = 1n; n <= 10n; n++) {
      await guest.ask("all_readable");
      expect(await guest.ask("drain_all")).toBe(0);
      expect(writer.publish(payload)).toBe(n);
      expect(await guest.ask("all_readable")).toBe(256);
      expect((await reader.next({ timeoutMs: 30_000 }))?.seq).toBe(n);
    }
    await guest.ask("let_go");
    await until(() => writer.doorbellReaders === 0);
    expect(await late.connect(path)).toEqual({ accepted: 1 });
    reader.close();
  });
});

describe("a reader's descriptor", () => {
  test("of the TypeScript reader is one number through restarts", async () => {
    const { path: _, ...options } = place("s");
    process.env.STREAMEM_DIR = options.directory;
    let writer = await producer("s", options);
    const reader = await openReader("s", { prefix: options.prefix });
    const { fd } = reader;
    for (let n = 0; n < 3; n++) {
      await writer.ask("publish 1");
      const frame = await reader.next({ timeoutMs: 30_000 });
      expect([frame?.generation, frame?.seq]).toEqual([writer.first, 1n]);
      // Only the first: a quick one is at a successor's door too early.
      if (n === 0) await until(async () => (await writer.ask("readers")) === "readers 1");
      await writer.kill();
      writer = await producer("s", options);
      expect(reader.fd).toBe(fd);
    }
    reader.close();
    await writer.ask("close");
  });

  // Take out STREAMEM_DIR's reading in _doorbells (streamem.py), or streamem__fd_attach's in streamem.h: it waits on.
  // It spins without "self._detach()" in clear(), and in C without closing bell_socket in streamem__fd_clear.
  test.skipIf(!python)(
    "works in asyncio through restarts, and is quiet while its writer is dead",
    async () => {
      const { path: _, ...options } = place("s");
      let writer = await producer("s", options);
      const env = { STREAMEM_PREFIX: options.prefix, STREAMEM_DIR: options.directory };
      const follower = new Follower(folder, "s", env);
      for (let n = 1; n <= 2; n++) {
        if (n === 1) await until(async () => (await writer.ask("readers")) === "readers 1");
        await writer.ask("publish 1");
        expect(await follower.comesTo()).toEqual({ generation: writer.first, seq: 1, value: 1 });
        await writer.kill();
        await until(async () => (await follower.counts()).state === "dead");
        const before = await follower.counts();
        await Bun.sleep(1500); // not to wait for something: to count what happens meanwhile
        const after = await follower.counts();
        expect(after.wakeups - before.wakeups).toBeLessThanOrEqual(10);
        expect(after).toMatchObject({ same: true, frames: n, missed: 0 });
        writer = await producer("s", options);
      }
      await follower.end();
      await writer.ask("close");
    },
  );

  test.skipIf(!compiler)(
    "works in poll() in C through restarts, and is quiet while its writer is dead",
    async () => {
      const { path: _, ...options } = place("s");
      let writer = await producer("s", options);
      const command = [program("reader"), options.prefix, "s", "epoll", "1000000", "60000"];
      const reader = started(command, { STREAMEM_DIR: options.directory });
      for (let n = 0; n < 3; n++) {
        if (n === 0) await until(async () => (await writer.ask("readers")) === "readers 1");
        await writer.ask("publish 1");
        // A frame published and gone with its writer may be lost: this is not about that.
        expect(JSON.parse(await reader.line())).toMatchObject({ generation: writer.first });
        await writer.kill();
        if (n < 2) writer = await producer("s", options);
      }
      await Bun.sleep(1500); // not to wait for something: to count what happens meanwhile
      reader.child.stdin.end();
      const said = JSON.parse(await reader.line());
      expect(said).toMatchObject({ deliveries: 3, generations: 3, missed: 0 });
      expect(said.wakeups).toBeLessThan(100);
    },
  );
});

describe.skipIf(!canUnshare)("a reader in a container, another user of the group", () => {
  // Take out "chown(temporary" in streamem__bell_listen, chownSync in src/ring/doorbell.ts, or _ring_from_doorbell in
  // streamem.py: it cannot open the stream.
  test("that has only the sockets' folder reads, and follows a restart", async () => {
    const prefix = freshPrefix();
    const options = { prefix, directory: join(folder.path, "bells"), group: sharedGroup };
    let writer = await producer("s", options);
    const inside = madeFolder(join(folder.path, "inside"), 0o755);
    const env = { STREAMEM_PREFIX: prefix, STREAMEM_DIR: inside };
    const before = contained(options.directory, inside, member);
    const follower = new Follower(folder, "s", env, before);
    await until(async () => (await writer.ask("readers")) === "readers 1");
    expect(await follower.counts()).toMatchObject({ uid: member.uid, shm: [], state: "live" });
    expect((await follower.counts()).pids.length).toBeLessThan(3);
    for (const ended of ["killed", "killed", "closed"]) {
      await until(async () => (await writer.ask("readers")) === "readers 1");
      await writer.ask("publish 1");
      expect(await follower.comesTo()).toEqual({ generation: writer.first, seq: 1, value: 1 });
      await writer.ask("publish 6");
      await until(async () => (await follower.counts()).frames % 7 === 0);
      if (ended === "killed") await writer.kill();
      else await writer.ask("close");
      writer = await producer("s", options);
    }
    await until(async () => (await writer.ask("readers")) === "readers 1");
    expect(await follower.counts()).toMatchObject({ frames: 21, missed: 0, same: true });
    await follower.end();
    await writer.ask("close");
    expect(leftovers(prefix)).toEqual([]);
  });
});
