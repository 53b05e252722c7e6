/**
 * A producer in each language: alone on its name whoever comes second, taken over from after SIGKILL with its readers going
 * along, listed by the hub within a second with the right state, gone without a trace at its end.
 * To see one fail: take F_OFD_SETLK out of a client (clients/python/streamem.py: let _try_lock return True).
 */
import { afterAll, describe, expect, test } from "bun:test";
import { StreamRegistry } from "../src/streams/streams.ts";
import { languages, readers, writers } from "./ring-languages.ts";
import { cleanUpAfterwards, freshPrefix, leftovers, Talk } from "./ring-programs.ts";
import { until } from "./rings.ts";

cleanUpAfterwards();
const hangMs = 120_000; // only so that a program that hangs is ended
const children: Talk[] = [];
afterAll(() => Promise.all(children.map((child) => child.kill())));

function talk(command: string[]): Talk {
  const child = new Talk(command);
  children.push(child);
  return child;
}

async function started(language: string, prefix: string): Promise<{ said: string; writer: Talk }> {
  const writer = talk((writers[language] as (typeof writers)[string])(prefix, 8, 64));
  expect(await writer.line()).toBe("trying");
  return { writer, said: await writer.line() };
}

const pairs = languages.flatMap((first) => languages.map((second) => [first, second] as const));

describe("a second writer is refused in words, and the first goes on", () => {
  test.each(languages)(
    "first %s, then each of them",
    async (first) => {
      const prefix = freshPrefix();
      const { writer, said } = await started(first, prefix);
      expect(said).toStartWith("ready ");
      const answers = await Promise.all(
        languages.map(async (second) => (await started(second, prefix)).said),
      );
      for (const answer of answers) expect(answer).toMatch(/^error (EBUSY|16) .*writer/);
      expect(await writer.ask("publish 1")).toBe("sequence 1");
      expect(await writer.ask("close")).toBe("closed");
      expect(leftovers(prefix)).toEqual([]);
    },
    hangMs,
  );
});

describe("after SIGKILL", () => {
  test.each(pairs)(
    "of a writer in %s one in %s takes over, and its readers go along",
    async (first, second) => {
      const prefix = freshPrefix();
      const { writer, said } = await started(first, prefix);
      const reading = Object.entries(readers).map(([, command]) => talk(command(prefix)));
      const seen = (generation: string, by: Talk) =>
        Promise.all(
          reading.map(async (reader) => {
            for (;;) {
              if (JSON.parse(await reader.line()).generation === generation) return;
            }
          }),
        ).then(() => by);
      const begun = seen(said.slice(6), writer);
      const beat = setInterval(() => writer.say("publish 1"), 20);
      await begun;
      clearInterval(beat);
      await writer.kill();
      const { writer: next, said: again } = await started(second, prefix);
      expect(again).toStartWith("ready ");
      expect(again).not.toBe(said);
      await next.ask("publish 1");
      await seen(again.slice(6), next);
      for (const reader of reading) await reader.kill();
      expect(await next.ask("close")).toBe("closed");
      expect(leftovers(prefix)).toEqual([]);
    },
    hangMs,
  );
});

describe("the hub lists it within a second", () => {
  test.each(languages)(
    "in %s: live, dead when killed, live again, gone when closed",
    async (language) => {
      const prefix = freshPrefix();
      const registry = new StreamRegistry({ prefix });
      const state = () => registry.get("s")?.look().state ?? null;
      const soon = async (wanted: string | null) => {
        const startMs = performance.now();
        await until(() => state() === wanted);
        return performance.now() - startMs;
      };
      const { writer } = await started(language, prefix);
      await writer.ask("publish 1");
      // Scans come every 500 ms; what is above is this machine being busy, so the least of three counts.
      const times = [await soon("live")];
      expect(registry.get("s")?.segment.descriptor.kind).toBe("tensor");
      await writer.kill();
      times.push(await soon("dead"));
      const { writer: next } = await started(language, prefix);
      await next.ask("publish 1");
      times.push(await soon("live"));
      expect(await next.ask("close")).toBe("closed");
      await soon(null);
      registry.close();
      expect(Math.min(...times)).toBeLessThan(1000);
    },
    hangMs,
  );
});
