/**
 * The Node client, in Node and in Bun, in processes of their own that are asked (test/fixtures/node-reader.mjs).
 *
 * To see the torn frames, take out of clients/node/streamem.mjs `if (this.#u64(at + slotAt.begin) === seq)` (always true); to see others fail, take
 * out in Ring.alive the search of the list (return false, or true), in Ring.#readInto the line of `got === 0`.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { ftruncateSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { encodeFields } from "../src/ring/fields.ts";
import { go, goProgram } from "./go-programs.ts";
import { finish, Talk } from "./ring-programs.ts";
import { camera, TestRings, until } from "./rings.ts";
import { skipping } from "./skipping.ts";

const root = join(import.meta.dir, "..");
const rings = new TestRings("node");
const talks: Talk[] = [];
afterAll(async () => {
  await Promise.all(talks.map((talk) => talk.kill()));
  await rings.close();
});
const env = rings.environment;
const HANG_MS = 120_000; // only so that a run that hangs is ended
const enough = 1000;
/** A producer's second frame is not there before a test has done with the first. */
const framesPerSecond = 0.001;

async function readerOf(runtime: string, ...names: string[]) {
  const talk = new Talk([runtime, join(root, "test/fixtures/node-reader.mjs"), ...names], env);
  talks.push(talk);
  expect(await talk.line()).toBe("ready");
  return async (expression: string) => JSON.parse(await talk.ask(expression));
}

test("its types are right, as TypeScript reads them", () => {
  const strict = "--ignoreConfig --noEmit --allowJs --checkJs --strict --skipLibCheck".split(" ");
  const to = "--target esnext --module nodenext --types bun".split(" ");
  const tsc = [process.execPath, "node_modules/typescript/bin/tsc", ...strict, ...to];
  const done = Bun.spawnSync([...tsc, "clients/node/streamem.mjs"], { cwd: root });
  expect(done.stdout.toString() + done.exitCode).toBe("0");
});

for (const runtime of ["node", "bun"]) {
  const there = Bun.which(runtime) !== null;
  if (!there) skipping("the Node client", `no ${runtime}`);

  describe.skipIf(!there)(`the Node client under ${runtime}`, () => {
    test("every verb", async () => {
      // No rate: one that is asked for its state long after its last frame is to be live.
      const spec = { kind: "depth" as const, dtype: "<u2", shape: [2, 3] };
      const fields = [
        { name: "gain", dtype: "<f4", offset: 0 },
        { name: "pair", dtype: "<u8", shape: [2], offset: 8 },
      ];
      const writer = rings.writer(`verbs-${runtime}`, { ...spec, fields }, { slots: 4 });
      const ask = await readerOf(runtime, `verbs-${runtime}`);
      expect(await ask("[reader.latest(), await reader.newest({ timeoutMs: 0 })]")).toEqual([
        null,
        null,
      ]);
      const publish = (n: number) =>
        writer.publish(new Uint16Array(6).fill(n * 257), {
          captureTimeNs: BigInt(n) * 100n,
          timeErrorNs: 0n,
          clockEpoch: 7,
          fields: encodeFields(new Uint8Array(24), fields, {
            gain: n / 2,
            pair: [BigInt(n), 2n ** 63n],
          }),
        });
      for (const n of [1, 2, 3]) publish(n);
      await ask("(kept.frame = await reader.next({ timeoutMs: 0 })).seq");
      expect(await ask("({ ...kept.frame, data: [...kept.frame.array] })")).toMatchObject({
        seq: "3",
        missed: "0",
        shape: [2, 3],
        ownShape: false,
        deviceTime: null,
        captureTimeNs: "300",
        timeErrorNs: "0",
        clockEpoch: 7,
        data: [771, 771, 771, 771, 771, 771],
      });
      expect(await ask("kept.frame.fields")).toEqual({
        gain: 1.5,
        pair: ["3", "9223372036854775808"],
      });
      expect(await ask("Number(kept.frame.ageNs) > -1e9")).toBe(true);
      expect(await ask("reader.last(3).map((one) => one.seq)")).toEqual(["1", "2", "3"]);
      expect(await ask("reader.last(4)")).toMatchObject({ code: "ERANGE" });
      expect(await ask("[210n, 250n].map((t) => reader.nearest(t).seq)")).toEqual(["2", "3"]);
      for (const n of [4, 5, 6, 7, 8, 9]) publish(n);
      // An owned copy: the writer has been in its slot since.
      expect(await ask("[kept.frame.array[0], kept.frame.valid()]")).toEqual([771, true]);
      expect(await ask("[...kept.frame.copy(new Uint8Array(13))].length")).toBe(13);
      expect(await ask("kept.frame.copy(new Uint8Array(11))")).toMatchObject({ code: "ERANGE" });
      const next = "(kept.next = await reader.next()).seq";
      expect(await ask(`[${next}, kept.next.missed, reader.missed]`)).toEqual(["9", "5", "5"]);
      expect(await ask("reader.state")).toBe("live");
      const stack = "(kept.stack = reader.stack(3)).sequences";
      expect(await ask(`[${stack}, kept.stack.shape, kept.stack.data.length]`)).toEqual([
        ["7", "8", "9"],
        [3, 2, 3],
        36,
      ]);
      expect(await ask(`client.streams().includes("verbs-${runtime}")`)).toBe(true);
      expect(await ask("(reader.close(), reader.latest())")).toMatchObject({ code: "EBADF" });
    });

    test("a frame that is waited for, in this generation, the next, and after a kill", async () => {
      const name = `follow-${runtime}`;
      const writer = rings.writer(name, camera);
      const ask = await readerOf(runtime, name);
      const next = "(kept.one = await reader.next()).seq";
      const one = (expression = next) => ask(`[${expression}, kept.one.generation]`);
      const waiting = one();
      writer.publish(new Uint8Array(72));
      expect(await waiting).toEqual(["1", writer.generation]);
      const old = writer.generation;
      writer.publish(new Uint8Array(72));
      writer.renew(); // what the ended generation still holds comes first
      writer.publish(new Uint8Array(72));
      expect(await one()).toEqual(["2", old]);
      expect(await one()).toEqual(["1", writer.generation]);
      expect(await ask("reader.missed")).toBe("0");
      writer.close();
      expect(await ask("reader.state")).toBe("retired");
      const killed = await rings.producer(name, camera, 1);
      expect((await one())[0]).toBe("1");
      expect(await ask("reader.state")).toBe("live");
      killed.kill("SIGKILL");
      await killed.exited;
      expect(await ask("reader.state")).toBe("dead");
      const seen = await ask("reader.latest().generation"); // what is in the ring stays readable
      const second = rings.writer(name, camera);
      second.publish(new Uint8Array(72));
      await until(async () => (await ask("reader.latest()?.generation")) !== seen);
      expect(await ask("[reader.latest().generation, reader.state]")).toEqual([
        second.generation,
        "live",
      ]);
    });

    test("messages and what they refer to", async () => {
      const picture = rings.writer(`picture-${runtime}`, camera);
      picture.publish(new Uint8Array(72), { captureTimeNs: 500n });
      const reference = {
        stream: picture.name,
        generation: picture.generation,
        sequence: 1n,
        captureTimeNs: 500n,
      };
      const name = `message-${runtime}`;
      const messages = rings.writer(name, { kind: "message" } as never);
      messages.publish({ label: "cup" } as never, { refersTo: reference } as never);
      const ask = await readerOf(runtime, name);
      expect(await ask("[(kept.one = reader.latest()).message, kept.one.refersTo]")).toEqual([
        { label: "cup" },
        { ...reference, sequence: "1", captureTimeNs: "500" },
      ]);
      messages.publish([1] as never);
      expect(await ask("[(kept.one = reader.latest()).message, kept.one.refersTo]")).toEqual([
        [1],
        null,
      ]);
    });

    test("what cannot be opened, and a file that is cut short while it is read", async () => {
      const ask = await readerOf(runtime);
      const open = (name: string) => ask(`await client.open(${JSON.stringify(name)})`);
      expect(await open("nothing")).toMatchObject({ code: "ENOENT" });
      expect(await open("NO")).toMatchObject({ code: "EINVAL" });
      expect(await open("/dev/null")).toMatchObject({ code: "EBADMSG" });
      expect(await open(import.meta.path)).toMatchObject({ code: "EBADMSG" });
      const name = `cut-${runtime}`;
      const producer = await rings.producer(name, camera, framesPerSecond);
      expect(await ask(`(kept.reader = await client.open("${name}")).latest().seq`)).toBe("1");
      producer.kill("SIGKILL");
      await producer.exited;
      const file = openSync(rings.path(name), "r+");
      ftruncateSync(file, 300);
      expect(statSync(rings.path(name)).size).toBe(300);
      expect(await ask("kept.reader.latest()")).toMatchObject({ code: "EBADMSG" });
    });

    if (!go) skipping("the hunt for torn frames in Node", "no go");
    test.skipIf(!go).each([64, 4096])(
      "no torn frame of %i B at full rate",
      async (bytes) => {
        const name = `torn-${runtime}-${bytes}`;
        const words = [rings.prefix, name, `${bytes}`, "4", "3600"];
        const writer = Bun.spawn([goProgram("programs/matrix_writer"), ...words], { env });
        try {
          const hunt = [runtime, join(root, "clients/node/torn.mjs"), name, `${enough}`];
          const { stdout, stderr, ended } = await finish(hunt, env);
          expect(stderr + ended).toBe("exit 0");
          const tally = JSON.parse(stdout);
          expect(tally.torn).toBe(0);
          expect(tally.delivered).toBeGreaterThanOrEqual(enough);
          expect(tally.rejected).toBeGreaterThanOrEqual(enough);
        } finally {
          writer.kill("SIGKILL");
          await writer.exited;
        }
      },
      HANG_MS,
    );
  });
}
