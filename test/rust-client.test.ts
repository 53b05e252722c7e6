// The Rust client: its own tests, the hunt for torn frames with each protection taken out, and writers that are killed.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createWriter, type StreamSpec } from "../src/ring.ts";
import { canUnshare } from "./doorbell-rig.ts";
import {
  cleanUpAfterwards,
  compiler,
  freshPrefix,
  leftovers,
  madeFolder,
  program,
  Talk,
  temporaryFolder,
} from "./ring-programs.ts";
import { until } from "./rings.ts";
import { cargoOnCrate, mutatedRustProgram, rust, rustProgram } from "./rust-programs.ts";

cleanUpAfterwards();

const CANCEL_MS = 600_000; // only so that a run that hangs is ended
const enough = 20_000;

interface Tally {
  deliveries: number;
  rejections: number;
  torn: number;
  generations: number;
}

/** A writer at full rate, killed so often, and what two readers of it say in the end. */
async function hunt(reader: string, kills = 0): Promise<Tally[]> {
  const prefix = freshPrefix();
  const startWriter = async () => {
    const writer = new Talk([rustProgram("torn"), prefix, "write"]);
    expect(await writer.line()).toBe("ready");
    return writer;
  };
  let writer = await startWriter();
  const command = [reader, prefix, "read", `${enough}`, `${enough}`];
  const readers = [new Talk(command), new Talk(command)];
  for (let i = 0; i < kills; i++) {
    for (const one of readers) expect(await one.line()).toContain("generation"); // it has met this one
    await writer.kill();
    writer = await startWriter();
  }
  for (const one of readers) one.child.stdin.end();
  const tallies = await Promise.all(readers.map(tallyOf));
  writer.child.stdin.end();
  await writer.child.exited;
  expect(leftovers(prefix)).toEqual([]);
  return tallies;
}

/** The last line of a reader, which ends by itself. */
async function tallyOf(reader: Talk): Promise<Tally> {
  for (;;) {
    const said = JSON.parse(await reader.line());
    if (said.deliveries === undefined) continue;
    expect(await reader.child.exited).toBe(0);
    return said;
  }
}

describe.skipIf(!rust)("the Rust client", () => {
  test(
    "keeps its own tests: verbs on real rings, half-written slots, a fork, JSON of any bytes",
    () => {
      expect(cargoOnCrate("test")).not.toContain("FAILED"); // it throws in cargo's words
    },
    CANCEL_MS,
  );

  test(
    "hands out no torn frame of 64 B to 4 KiB, as a view or a copy, by any verb, while the writer is killed ten times",
    async () => {
      for (const tally of await hunt(rustProgram("torn"), 10)) {
        expect(tally.torn).toBe(0);
        expect(tally.deliveries).toBeGreaterThanOrEqual(enough);
        expect(tally.rejections).toBeGreaterThanOrEqual(enough);
        expect(tally.generations).toBe(11);
      }
    },
    CANCEL_MS,
  );

  const spec: StreamSpec = { kind: "tensor", dtype: "|u1", shape: [8] };

  // To see it fail: give descriptors no doorbell in attach_fd (then no reader connects), or leave take_rings out of clear_fd
  // (then it wakes without end).
  test(
    "waits on one descriptor by the doorbell, through a renewal, and sleeps where there is nothing",
    async () => {
      const prefix = freshPrefix();
      const directory = temporaryFolder("bell");
      using writer = createWriter("s", spec, { prefix, directory, slots: 1024 });
      const reader = new Talk([rustProgram("line_reader"), prefix, "epoll"], {
        STREAMEM_DIR: directory,
      });
      for (let generations = 0; generations < 3; generations++) {
        if (generations > 0)
          writer.renew(); // a reader that is quicker than the new doorbell waits on the futex
        else await until(() => writer.doorbellReaders === 1);
        for (let n = 0; n < 50; n++) {
          writer.publish(new Uint8Array(8));
          // The reader begins with the newest frame: the first one is to be that.
          if (n > 0) await Bun.sleep(1);
          else expect(JSON.parse(await reader.line())).toEqual({ generation: writer.generation });
        }
      }
      reader.child.stdin.end();
      const { frames, wakeups } = JSON.parse(await reader.line());
      expect(frames).toBe(150);
      expect(wakeups).toBeLessThan(1000);
    },
    CANCEL_MS,
  );

  // To see it fail: leave EPOLL_CTL_DEL out of detach in src/waiting.rs.
  test.skipIf(!compiler)(
    "is not woken by the bell of a generation that has hung up, which its writer still holds",
    async () => {
      const prefix = freshPrefix();
      const directory = madeFolder(temporaryFolder("held"));
      // It rings when the reader has heard the hang-up, and goes on to hold what rings.
      const rings = "    streamem__bell_ring(&bell->peers[bell->count - 1]);\n  }\n";
      const pause = "    streamem__sleep_ns(300000000);\n";
      const instead = pause + rings.replace("  }", `${pause}  }`);
      const holding = program("writer", [], { file: "native/doorbell.c", line: rings, instead });
      const bell = join(directory, `${prefix}.s.sock`);
      const writer = new Talk([holding, prefix, "s", "bell", bell]);
      expect(await writer.line()).toBe("trying");
      expect(await writer.line()).toStartWith("ready ");
      const environment = { STREAMEM_DIR: directory };
      const reader = new Talk([rustProgram("line_reader"), prefix, "epoll"], environment);
      for (const verb of ["", "renew"]) {
        if (verb) expect(await writer.ask(verb)).toStartWith("generation ");
        await writer.ask("publish 1");
        expect(await reader.line()).toContain("generation");
      }
      reader.child.stdin.end();
      const { frames, wakeups } = JSON.parse(await reader.line());
      expect(frames).toBe(2);
      expect(wakeups).toBeLessThan(100);
      await writer.ask("close");
    },
    CANCEL_MS,
  );

  test.skipIf(!canUnshare)(
    "reads through the doorbell where it shares no /dev/shm with the writer",
    async () => {
      const prefix = freshPrefix();
      const directory = temporaryFolder("apart");
      using writer = createWriter("s", spec, { prefix, directory });
      writer.publish(new Uint8Array(8));
      const apart = `mount -t tmpfs tmpfs /dev/shm; exec "$0" ${prefix} epoll`;
      const command = ["unshare", "-m", "sh", "-c", apart, rustProgram("line_reader")];
      const reader = new Talk(command, { STREAMEM_DIR: directory });
      expect(JSON.parse(await reader.line())).toEqual({ generation: writer.generation });
      await reader.kill();
    },
    CANCEL_MS,
  );

  // The check of `end`, which no verb needs while a writer lives, is guarded by slots_that_are_not_whole in
  // clients/rust/tests/verbs.rs. A fence costs no instruction on x86-64, so no test there can miss it.
  const mutants = [
    {
      what: "the check of begin after use",
      file: "src/frame.rs",
      line: "        self.ring.still_holds(self.sequence)\n",
      instead: "        true\n",
    },
    {
      what: "the check of begin after the slot header was copied",
      file: "src/ring.rs",
      line: "        if !self.still_holds(sequence) {\n            return None; // (F')\n        }\n",
      instead: "",
    },
  ];
  test.each(mutants)(
    "would be caught without $what",
    async ({ file, line, instead }) => {
      const tallies = await hunt(mutatedRustProgram("torn", { file, line, instead }));
      expect(Math.max(...tallies.map(({ torn }) => torn))).toBeGreaterThan(0);
    },
    CANCEL_MS,
  );
});
