// The writer never waits for a reader, never does work for one but the wake-up, and no reader can write: whatever readers
// do or suffer, the publishing thread makes one system call a frame, the futex wake.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWriter } from "../src/ring.ts";
import {
  cleanUpAfterwards,
  compiler,
  finish,
  freshPrefix,
  isRoot,
  leftovers,
  program,
  skipping,
  Talk,
  temporaryFolder,
} from "./ring-programs.ts";

cleanUpAfterwards();

const strace = Bun.which("strace");
if (!strace) skipping("the count of a writer's system calls", "no strace (Debian: strace)");

/** Runs a writer at full rate while `meanwhile` happens. Its frames, and its system calls but one a frame, by name. */
async function counted(
  bell: boolean,
  meanwhile: (prefix: string, env: Record<string, string>) => Promise<void>,
) {
  const prefix = freshPrefix();
  const folder = temporaryFolder("w");
  const summary = join(folder, "calls");
  const socket = bell ? join(folder, `${prefix}.steady.sock`) : "-";
  const command = [program("steady"), prefix, socket];
  const traced = new Talk([strace as string, "-c", "-o", summary, ...command]);
  expect(await traced.line()).toBe("ready");
  await meanwhile(prefix, { STREAMEM_DIR: folder });
  const [writer] = readFileSync(`/proc/${traced.pid}/task/${traced.pid}/children`, "utf8").split(
    " ",
  );
  process.kill(Number(writer), "SIGUSR1");
  const frames = Number((await traced.line()).replace("sequence ", ""));
  await traced.child.exited;
  const calls = Object.fromEntries(
    readFileSync(summary, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/ +/))
      .filter((words) => /^\d+$/.test(words[3] ?? "") && words.at(-1) !== "total")
      .map((words) => [words.at(-1) as string, Number(words[3])]),
  );
  return { frames, besides: { ...calls, futex: (calls.futex as number) - frames } };
}

/** A reader that has got at least one frame. */
async function reading(prefix: string, how: string, env: Record<string, string>): Promise<Talk> {
  const reader = new Talk([program("reader"), prefix, "steady", how, "1000000000"], env);
  await reader.line();
  return reader;
}

describe.skipIf(!compiler || !strace)(
  "the writer's system calls are one a frame, as with no reader at all,",
  () => {
    // To see these fail, let streamem_commit make any call for a reader: a second streamem__futex_wake is enough. For the
    // doorbell, write the eventfds there instead of in streamem__bell_notify.
    const ways = [
      ["futex", false],
      ["epoll", false],
      ["epoll", true],
    ] as const;

    test.each(ways)("%s, doorbell %p: while a reader is stopped", async (how, bell) => {
      const alone = await counted(bell, () => Bun.sleep(50));
      const { frames, besides } = await counted(bell, async (prefix, env) => {
        const stopped = await reading(prefix, how, env);
        stopped.child.kill("SIGSTOP");
        const other = await reading(prefix, how, env); // and this one is given frames all the while
        await Bun.sleep(200);
        other.child.stdin.end();
        expect(JSON.parse(await other.line())).toMatchObject({ torn: 0, state: "live" });
        await stopped.kill();
      });
      expect(frames).toBeGreaterThan(100);
      expect(besides).toEqual(alone.besides);
    });

    test.each(ways)("%s, doorbell %p: while 200 readers are killed", async (how, bell) => {
      const alone = await counted(bell, () => Bun.sleep(50));
      const { frames, besides } = await counted(bell, async (prefix, env) => {
        const other = await reading(prefix, how, env);
        for (let killed = 0; killed < 200; killed += 4) {
          const victims = await Promise.all([1, 2, 3, 4].map(() => reading(prefix, how, env)));
          await Promise.all(victims.map((victim) => victim.kill()));
        }
        other.child.stdin.end();
        expect(JSON.parse(await other.line())).toMatchObject({ torn: 0, state: "live" });
      });
      expect(frames).toBeGreaterThan(100);
      expect(besides).toEqual(alone.besides);
    });
  },
);

describe.skipIf(!compiler || !isRoot)(
  "a reader of another user that stops inside read() of its bell",
  () => {
    // With a pipe2() instead of the socketpair() in streamem__bell_make the reader holds the pipe's mutex: the doorbell rings
    // for nobody any more, and renewing or ending the stream hangs.
    test("holds up neither the writer nor the other readers, nor the end of the stream", async () => {
      const [group, prefix] = ["54330", freshPrefix()];
      const folder = mkdtempSync(join(tmpdir(), "streamem-stall-"));
      chmodSync(folder, 0o755);
      const socket = join(folder, `${prefix}.s.sock`);
      const writer = new Talk([
        program("writer"),
        prefix,
        "s",
        "slots",
        "64",
        "bell",
        socket,
        "group",
        group,
      ]);
      expect([await writer.line(), (await writer.line()).slice(0, 5)]).toEqual(["trying", "ready"]);
      const stalled = new Talk([program("stall"), socket, "54331", group]);
      await writer.ask("publish 1");
      if ((await stalled.line()) !== "stalled")
        return skipping("a stalled reader", "no userfaultfd");
      const reader = new Talk([program("reader"), prefix, "s", "epoll", "100"], {
        STREAMEM_DIR: folder,
      });
      await reader.line(); // the newest frame
      expect(await writer.ask("publish 50")).toBe("sequence 51");
      expect(await writer.ask("renew")).toStartWith("generation ");
      expect(await writer.ask("publish 49")).toBe("sequence 49");
      await reader.line(); // the new generation
      expect(JSON.parse(await reader.line())).toMatchObject({
        deliveries: 100,
        missed: 0,
        torn: 0,
      });
      expect(await writer.ask("close")).toBe("closed");
      await stalled.kill();
      expect([...leftovers(prefix), ...readdirSync(folder)]).toEqual([]);
      rmSync(folder, { recursive: true });
    });
  },
);

describe("a reader cannot write", () => {
  // To see it fail, open with O_RDWR in streamem__open_ring and map with PROT_WRITE in streamem__ring_from_fd.
  test.skipIf(!compiler)(
    "in C: not to the mapping, not to the file, and it cannot lock the writer out",
    async () => {
      const prefix = freshPrefix();
      using writer = createWriter(
        "s",
        { kind: "tensor", dtype: "<u8", shape: [8] },
        { prefix, directory: temporaryFolder("r") },
      );
      writer.publish(new BigUint64Array(8));
      const { stdout } = await finish([program("readonly"), prefix, "s"]);
      expect(stdout).toBe("SEGV EACCES EBADF EINVAL EBADF\n");
    },
  );

  test("in TypeScript: writing to a frame's data ends the process, and the ring is what it was", async () => {
    const prefix = freshPrefix();
    using writer = createWriter(
      "s",
      { kind: "tensor", dtype: "|u1", shape: [8] },
      { prefix, directory: temporaryFolder("r") },
    );
    writer.publish(new Uint8Array(8).fill(7));
    const code = `
      import { openReader } from ${JSON.stringify(join(import.meta.dir, "../src/ring.ts"))};
      const frame = (await openReader("s", { prefix: ${JSON.stringify(prefix)} })).latest();
      console.log("got", frame.data[0]);
      frame.data[0] = 1;
      console.log("wrote");`;
    const done = await finish([process.execPath, "-e", code], { BUN_ENABLE_CRASH_REPORTING: "0" });
    expect(done.stdout).toBe("got 7\n");
    expect(done.ended).not.toBe("exit 0");
    expect(writer.acquire()).toHaveLength(8);
    writer.abort();
  });
});
