// Owning a stream and taking it over: one writer, whoever asks and in whatever language; a writer killed anywhere leaves
// nothing that stops the next one, and the readers go along.
import { describe, expect, test } from "bun:test";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { createWriter, openReader, type StreamSpec } from "../src/ring.ts";
import {
  cleanUpAfterwards,
  compiler,
  finish,
  freshPrefix,
  jsonLines,
  leftovers,
  type Mutation,
  program,
  skipping,
  Talk,
  temporaryFolder,
} from "./ring-programs.ts";
import { rust, rustProgram } from "./rust-programs.ts";

cleanUpAfterwards();

const python = Bun.which("python3");
if (!python) skipping("a second writer in Python", "no python3");
const words = new BigUint64Array(8);
const spec: StreamSpec = { kind: "tensor", dtype: "<u8", shape: [8] };
const directory = temporaryFolder("d");

/** Whether the words are those of native/test/pattern.h for this sequence. */
function holdsPattern(words: BigUint64Array, seq: bigint): boolean {
  return words.every(
    (word, i) =>
      word === BigInt.asUintN(64, seq * 0x9e3779b97f4a7c15n + BigInt(i) * 0xbf58476d1ce4e5b9n),
  );
}

/** A writer in C that has its ring; see native/test/writer.c. */
async function startWriter(
  prefix: string,
  name: string,
  more: string[] = [],
  binary = program("writer"),
): Promise<Talk> {
  const writer = new Talk([binary, prefix, name, ...more]);
  await writer.line(); // "trying"
  expect(await writer.line()).toStartWith("ready ");
  return writer;
}

/** What a starter that must not succeed says. */
async function refused(prefix: string, name: string): Promise<string> {
  const writer = new Talk([program("writer"), prefix, name]);
  await writer.line();
  const words = await writer.line();
  writer.child.stdin.end();
  await writer.child.exited;
  return words;
}

describe.skipIf(!compiler)("a writer killed", () => {
  const acts = ["create", "takeover", "renew", "close", "bell", "sweep"];

  // The lines to take out to see these fail stand in the mutants below.
  test("after each instruction of a publish leaves whole frames, and its successor is followed", async () => {
    const done = await finish([program("kill"), freshPrefix(), temporaryFolder("k"), "publish"]);
    expect(done.stderr + done.ended).toBe("exit 0");
    const [{ kills, whole }] = jsonLines<{ kills: number; whole: number }>(done.stdout) as [
      { kills: number; whole: number },
    ];
    expect(kills).toBeGreaterThan(100);
    expect(whole).toBeGreaterThan(4 * kills);
  });

  test.each(acts)(
    "at each system call of %s leaves nothing in the way and nothing behind",
    async (act) => {
      const done = await finish([program("kill"), freshPrefix(), temporaryFolder("k"), act]);
      expect(done.stderr + done.ended).toBe("exit 0");
      expect(
        (jsonLines<{ kills: number }>(done.stdout)[0] as { kills: number }).kills,
      ).toBeGreaterThan(20);
    },
  );

  const mutants: [string, string, Mutation][] = [
    [
      "begin is stored before the payload",
      "publish",
      { line: "  STREAMEM_STORE_RELAXED(&slot->begin, sequence);\n" },
    ],
    [
      "latest is stored after end",
      "publish",
      {
        line: "  STREAMEM_STORE_RELEASE(&slot->end, sequence);     /* (C) */\n  STREAMEM_STORE_RELEASE(&h->latest, sequence);     /* (D) */\n",
        instead:
          "  STREAMEM_STORE_RELEASE(&h->latest, sequence);\n  STREAMEM_STORE_RELEASE(&slot->end, sequence);\n",
      },
    ],
    [
      "temporaries of the dead are swept",
      "takeover",
      { line: "  streamem__sweep_temporaries(w->prefix, w->name);\n" },
    ],
    [
      "half-made sockets are removed",
      "bell",
      {
        file: "native/doorbell.c",
        line: "  unlink(temporary); /* of a writer that was killed right here */\n",
      },
    ],
  ];
  test.each(mutants)("can be seen to fail, unless %s", async (_, act, mutation) => {
    const done = await finish([
      program("kill", [], mutation),
      freshPrefix(),
      temporaryFolder("k"),
      act,
    ]);
    expect(done.ended).toBe("exit 1");
    expect(done.stderr).toContain("after stop ");
  });

  // A frame published between a reader's look at `latest` and its look at the end of the generation: take out
  // "newest != drained" in streamem__follow.
  test("or renewing at each instruction of next() costs its reader no frame", async () => {
    const done = await finish([program("handover"), freshPrefix()]);
    expect(done.stderr + done.ended).toBe("exit 0");
    expect(
      (jsonLines<{ steps: number }>(done.stdout)[0] as { steps: number }).steps,
    ).toBeGreaterThan(100);
  });

  test("100 times at random moments: readers in C, through a descriptor and in TypeScript go on, torn by nothing", async () => {
    const prefix = freshPrefix();
    const names = ["futex", "epoll"];
    let writer = await startWriter(prefix, "s", ["slots", "8"]);
    writer.say("run 20");
    const readers = names.map(
      (how) => new Talk([program("reader"), prefix, "s", how, "1000000000"]),
    );
    const here = followHere(prefix);
    const files: number[] = [];
    for (let kills = 0; kills < 100; kills++) {
      for (const reader of readers) files.push(JSON.parse(await reader.line()).fds);
      await Bun.sleep(Math.random() * 10); // the moment of the kill is the point here
      await writer.kill();
      writer = await startWriter(prefix, "s", ["slots", "8"]);
      writer.say("run 20");
    }
    for (const reader of readers) {
      await reader.line(); // the last generation
      reader.child.stdin.end();
      const tally = JSON.parse(await reader.line());
      expect(tally).toMatchObject({ torn: 0, generations: 101, state: "live" });
    }
    expect(Math.max(...files.slice(100))).toBe(Math.max(...files.slice(0, 100))); // none is leaked
    const { generations, torn } = await here.untilClosed(writer);
    expect(torn).toBe(0);
    expect(generations).toBeGreaterThan(80); // this process may be late for one or the other
    expect(leftovers(prefix)).toEqual([]);
  });
});

/** A reader in this process that goes along until it is closed, which comes before the last writer's end. */
function followHere(prefix: string) {
  const seen = new Set<string>();
  let torn = 0;
  const opened = openReader("s", { prefix });
  const reading = opened.then(async (reader) => {
    for await (const frame of reader) {
      seen.add(frame.generation);
      const whole = holdsPattern(frame.array as BigUint64Array, frame.seq);
      if (frame.valid() && !whole) torn++;
    }
  });
  return {
    async untilClosed(writer: Talk) {
      // First: at 50,000 frames/s this reader takes all of the time in which the writer could be heard.
      (await opened).close();
      await reading;
      writer.say("");
      await writer.line();
      expect(await writer.ask("close")).toBe("closed");
      return { generations: seen.size, torn };
    },
  };
}

/** Writers in each language, each to be refused while another lives. */
const languages: Record<
  string,
  (prefix: string) => Promise<{ second: () => Promise<string>; end: () => Promise<unknown> }>
> = {
  C: async (prefix) => {
    const writer = await startWriter(prefix, "one");
    return { second: () => refused(prefix, "one"), end: () => writer.ask("close") };
  },
  TypeScript: async (prefix) => {
    const writer = createWriter("one", spec, { prefix, directory });
    return { second: async () => refusedHere(prefix), end: async () => writer.close() };
  },
  Python: async (prefix) => {
    const writer = new Talk([python as string, "-c", pythonWriter, prefix]);
    expect(await writer.line()).toBe("ready");
    return { second: () => refusedInPython(prefix), end: () => writer.ask("close") };
  },
  Rust: async (prefix) => {
    const writer = new Talk(rustWriter(prefix));
    expect(await writer.line()).toBe("trying");
    expect(await writer.line()).toStartWith("ready ");
    return { second: () => refusedInRust(prefix), end: () => writer.ask("close") };
  },
};
const seconds: Record<string, (prefix: string) => Promise<string>> = {
  C: (prefix) => refused(prefix, "one"),
  TypeScript: async (prefix) => refusedHere(prefix),
  Python: refusedInPython,
  Rust: refusedInRust,
};

const rustWriter = (prefix: string) => [rustProgram("line_writer"), prefix, "4", "64", "one"];

async function refusedInRust(prefix: string): Promise<string> {
  return (await finish(rustWriter(prefix))).stdout.replace("trying\n", "");
}

const pythonWriter = `
import sys
sys.path.insert(0, ${JSON.stringify(join(import.meta.dir, "../clients/python"))})
import streamem
try:
    writer = streamem.create("one", {"kind": "tensor", "dtype": "<u8", "shape": [8]}, prefix=sys.argv[1])
except streamem.RingError as error:
    print("error %s %s" % (error.errno, error), flush=True)
    sys.exit(1)
print("ready", flush=True)
sys.stdin.readline()
writer.close()
print("closed", flush=True)
`;

async function refusedInPython(prefix: string): Promise<string> {
  const done = await finish([python as string, "-c", pythonWriter, prefix]);
  return done.stdout + done.stderr;
}

function refusedHere(prefix: string): string {
  try {
    createWriter("one", spec, { prefix, directory }).close();
    return "ready";
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return `error ${code === "EBUSY" ? 16 : code} ${message}`;
  }
}

describe("a second writer is refused in words,", () => {
  const there: Record<string, unknown> = {
    C: compiler,
    TypeScript: true,
    Python: python,
    Rust: rust,
  };
  const names = Object.keys(languages).filter((name) => there[name]);
  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));
  test.concurrent.each(pairs)("first %s, then %s", async (first, second) => {
    const prefix = freshPrefix();
    const writer = await (languages[first] as (typeof languages)[string])(prefix);
    const said = await (seconds[second] as (typeof seconds)[string])(prefix);
    expect(said).toStartWith("error 16 ");
    expect(said).toContain("one");
    expect(said).toContain("writer");
    await writer.end();
    expect(leftovers(prefix)).toEqual([]);
  });
});

describe.skipIf(!compiler)("starting", () => {
  // Take out the F_OFD_SETLK in streamem__lock_take: all fifty win.
  test("fifty at once: exactly one wins", async () => {
    const prefix = freshPrefix();
    const starters = Array.from({ length: 50 }, () => new Talk([program("writer"), prefix, "s"]));
    const said = await Promise.all(
      starters.map((starter) => starter.line().then(() => starter.line())),
    );
    expect(said.filter((line) => line.startsWith("ready "))).toHaveLength(1);
    expect(said.filter((line) => line.startsWith("error 16 "))).toHaveLength(49);
    const winner = starters[said.findIndex((line) => line.startsWith("ready "))] as Talk;
    expect(await winner.ask("close")).toBe("closed");
    expect(leftovers(prefix)).toEqual([]);
  });

  // Two protections: streamem_lock_held asks and takes nothing, and streamem__lock_take has patience. With a probe that
  // takes the lock for a moment (F_OFD_SETLK) and one attempt instead of 100, lone starters are refused.
  test("alone, three hundred times, while readers ask for the writer's life without a pause: never refused", async () => {
    const prefix = freshPrefix();
    const writer = await startWriter(prefix, "s");
    const probers = [1, 2].map(() => new Talk([program("prober"), prefix, "s"]));
    for (const prober of probers) expect(await prober.line()).toBe("probing");
    expect(await writer.ask("cycle 300")).toBe("refused 0");
    for (const prober of probers) {
      prober.child.stdin.end();
      const { asked, held } = JSON.parse(await prober.line());
      expect(asked).toBeGreaterThan(1000);
      expect(held).toBeGreaterThan(0);
    }
    await writer.ask("close");
  });

  // With one attempt instead of 100 in streamem__lock_take it is refused.
  test("waits for a writer that is about to end", async () => {
    const prefix = freshPrefix();
    const first = await startWriter(prefix, "s");
    const second = new Talk([program("writer"), prefix, "s"]);
    expect(await second.line()).toBe("trying");
    await first.ask("close");
    expect(await second.line()).toStartWith("ready ");
    await second.ask("close");
  });

  // Take out pthread_atfork in streamem__writers_add: the child keeps the locks and the stream has a writer for ever.
  test("after a writer that died and left a forked child", async () => {
    const prefix = freshPrefix();
    const writer = await startWriter(prefix, "s");
    const child = Number((await writer.ask("fork")).replace("child ", ""));
    expect(await writer.line()).toBe("child says -1"); // EPERM: only the process that made a ring publishes into it
    await writer.kill();
    const successor = await startWriter(prefix, "s");
    process.kill(child, 0); // it lives
    process.kill(child, "SIGKILL");
    await successor.ask("close");
    expect(leftovers(prefix)).toEqual([]);
  });
});

describe("a ring whose name is removed under a running writer", () => {
  test("gets a new generation at the next publish, and its readers go along", async () => {
    const prefix = freshPrefix();
    const writer = createWriter("s", spec, { prefix, directory });
    const reader = await openReader("s", { prefix });
    writer.publish(words);
    const { generation } = writer;
    unlinkSync(`/dev/shm/${prefix}.s`);
    while (writer.generation === generation) {
      writer.publish(words);
      await Bun.sleep(10); // the doorbell looks once a second
    }
    expect(writer.sequence).toBe(1n);
    const following = async () => {
      for await (const frame of reader) if (frame.generation !== generation) return frame;
    };
    expect((await following())?.seq).toBe(1n);
    reader.close();
    writer.close();
    expect(leftovers(prefix)).toEqual([]);
  });

  test.skipIf(!compiler)("and taken by another writer: an error in words", async () => {
    const prefix = freshPrefix();
    const writer = createWriter("s", spec, { prefix, directory });
    unlinkSync(`/dev/shm/${prefix}.s`);
    unlinkSync(`/dev/shm/.${prefix}.s.lock`);
    const other = await startWriter(prefix, "s");
    const publishing = async () => {
      for (;;) {
        writer.publish(words);
        await Bun.sleep(10);
      }
    };
    expect(publishing()).rejects.toThrow(/has a writer already/);
    await publishing().catch(() => undefined);
    expect(await other.ask("publish 1")).toBe("sequence 1");
    writer.close(); // and takes nothing that is the other's with it
    expect(leftovers(prefix)).toEqual([`.${prefix}.s.lock`, `${prefix}.s`]);
    await other.ask("close");
  });

  test.skipIf(!compiler)("or whose lock is: a second writer is refused all the same", async () => {
    const prefix = freshPrefix();
    const writer = await startWriter(prefix, "s");
    unlinkSync(`/dev/shm/.${prefix}.s.lock`);
    expect(await refused(prefix, "s")).toStartWith("error 16 ");
    await writer.ask("close");
  });
});

describe("a writer that cannot be made or renewed", () => {
  // Take out this.close() in RingWriter's constructor: ring and lock stay, and the name is taken.
  test("leaves no ring behind when it is the doorbell that cannot be opened", () => {
    const prefix = freshPrefix();
    const deep = join(directory, "d".repeat(100)); // a socket's path has at most 107 bytes
    expect(() => createWriter("s", spec, { prefix, directory: deep })).toThrow(/STREAMEM_DIR/);
    expect(leftovers(prefix)).toEqual([]);
    createWriter("s", spec, { prefix, directory }).close();
  });

  // Take out #openBell where #create fails: the bell stays silent. With this.#spec not restored, the next renewal fails too.
  test("goes on with what it had, doorbell and all", async () => {
    const prefix = freshPrefix();
    using writer = createWriter("s", spec, { prefix, directory });
    const { generation } = writer;
    const reader = await openReader("s", { prefix });
    expect(() => writer.renew(spec, { slots: 3 })).toThrow(/slots is 3/);
    const frame = reader.next({ timeoutMs: 30_000 });
    while (writer.doorbellReaders === 0) await Bun.sleep(1);
    writer.publish(words);
    expect((await frame)?.generation).toBe(generation);
    writer.renew();
    expect(writer.generation).not.toBe(generation);
    reader.close();
  });
});
