/**
 * To see these fail, in src/streams/streams.ts: drop `known?.is(inode)` (a successor is not followed), `#bury`
 * (dead rings stay), its `writerAlive` (a living one is swept), `#guarded` (one bad ring ends the hub);
 * in src/ring/segment.ts O_NOFOLLOW (a link is listed) or O_NONBLOCK (a pipe stops the hub); in src/streams/stream.ts drop #checkSize (a cut ring stays listed) or #seeHistory (no rate at first sight).
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, readdirSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { RateMeter } from "../src/streams/rate.ts";
import { type RegistryOptions, type StreamEvent, StreamRegistry } from "../src/streams/streams.ts";
import { camera, TestRings, until } from "./rings.ts";

const vectors = join(import.meta.dir, "../clients/vectors");
const frame = new Uint8Array(4 * 6 * 3);
/** Scans happen only where a test says so. */
const never = 1 << 30;

let rings: TestRings;
let registry: StreamRegistry | undefined;
let events: string[];

beforeEach(() => {
  rings = new TestRings("streams");
  events = [];
});

afterEach(async () => {
  registry?.close();
  registry = undefined;
  await rings.close();
});

function started(options: Partial<RegistryOptions> = {}): StreamRegistry {
  registry = new StreamRegistry({ prefix: rings.prefix, scanMs: never, ...options });
  registry.subscribe(({ type, stream }: StreamEvent) => events.push(`${type} ${stream.name}`));
  return registry;
}

const names = () => registry?.list().map(({ name }) => name);

describe("finding streams", () => {
  test("what is there at the start, what comes, what goes", () => {
    rings.writer("b", camera);
    const found = started();
    expect(names()).toEqual(["b"]);
    const a = rings.writer("a", camera);
    found.scan();
    expect(names()).toEqual(["a", "b"]);
    a.close();
    found.scan();
    expect(names()).toEqual(["b"]);
    expect(events).toEqual(["added a", "gone a"]);
  });

  test("by itself: the default period of 500 ms keeps the promised second", async () => {
    started({ scanMs: undefined });
    rings.writer("a", camera);
    await until(() => names()?.includes("a"));
    expect(events).toEqual(["added a"]);
  });

  test("neither another prefix nor locks, links, pipes and folders", () => {
    const { prefix } = rings;
    const writer = rings.writer("real", camera);
    symlinkSync(rings.path("real"), rings.path("link"));
    Bun.spawnSync(["mkfifo", rings.path("pipe")]);
    Bun.spawnSync(["mkdir", rings.path("folder")]);
    copyFileSync(rings.path("real"), `/dev/shm/${prefix}.NotAName`);
    started();
    expect(names()).toEqual(["real"]);
    writer.close();
    Bun.spawnSync(["rmdir", rings.path("folder")]);
  });

  test("none of the damaged vectors is listed, and none disturbs the others", async () => {
    rings.writer("good", camera);
    const expected: string[] = ["good"];
    for (const file of readdirSync(vectors).filter((name) => name.endsWith(".ring"))) {
      const vector = file.slice(0, -".ring".length);
      const { open } = await Bun.file(join(vectors, `${vector}.json`)).json();
      if (open === "ok") expected.push(vector);
      copyFileSync(join(vectors, file), rings.path(vector));
    }
    started().scan();
    expect(names()).toEqual(expected.sort());
    expect(expected.length).toBeGreaterThan(10);
  });
});

describe("what is known of a stream", () => {
  test("nothing before the first frame", () => {
    rings.writer("a", camera);
    expect(started().get("a")?.look()).toEqual({
      state: "live",
      measuredRate: null,
      ageNs: null,
      lastSequence: 0n,
      lastBytes: null,
      hops: null,
      frames: 0n,
      generations: 1,
    });
  });

  test("sequence, bytes and age of the newest frame", () => {
    const writer = rings.writer("a", camera);
    const stream = started().get("a");
    for (let count = 0; count < 20; count++) writer.publish(frame);
    const first = stream?.look();
    expect(first).toMatchObject({ lastSequence: 20n, lastBytes: 72, frames: 20n });
    const then = stream?.look().ageNs ?? 0n;
    expect(then).toBeGreaterThan(first?.ageNs ?? 0n);
  });

  test("a rate at first sight, from the frames still in the ring", () => {
    const writer = rings.writer("a", camera);
    for (let count = 0; count < 20; count++) writer.publish(frame);
    expect(started().get("a")?.look().measuredRate).toBeGreaterThan(0);
  });

  test("stalled only where a rate is promised", async () => {
    const stalls = { ...camera, rate: 1e9 };
    rings.writer("promised", stalls).publish(frame);
    rings.writer("whenever", camera).publish(frame);
    const found = started();
    await until(() => found.get("promised")?.look().state === "stalled");
    expect(found.get("whenever")?.look().state).toBe("live");
    found.scan();
    expect(events).toEqual(["changed promised"]);
  });
});

describe("generations", () => {
  test("a new one under the name is followed, and counted together with the old", () => {
    const writer = rings.writer("a", camera);
    writer.publish(frame);
    const found = started();
    const before = found.get("a")?.generation;
    writer.renew({ ...camera, shape: [8, 6, 3] });
    writer.publish(new Uint8Array(8 * 6 * 3));
    writer.publish(new Uint8Array(8 * 6 * 3));
    found.scan();
    const stream = found.get("a");
    expect(stream?.generation).not.toBe(before);
    expect(stream?.segment.descriptor.shape).toEqual([8, 6, 3]);
    expect(stream?.look()).toMatchObject({ lastSequence: 2n, frames: 3n, generations: 2 });
    expect(events).toEqual(["changed a"]);
  });

  test("a name taken over by what is no ring is gone, and back with the next ring", () => {
    const writer = rings.writer("a", camera);
    const found = started();
    writer.close();
    rings.foreign("a", new Uint8Array(4096));
    found.scan();
    found.scan();
    expect(names()).toEqual([]);
    Bun.spawnSync(["rm", rings.path("a")]);
    rings.writer("a", camera);
    found.scan();
    expect(events).toEqual(["gone a", "added a"]);
  });

  test("a ring cut short is dropped, the others stay", () => {
    rings.writer("whole", camera).publish(frame);
    copyFileSync(rings.path("whole"), rings.path("cut"));
    const found = started();
    // Beyond the newest frame: only the size tells.
    truncateSync(rings.path("cut"), Bun.file(rings.path("cut")).size - 1);
    found.scan();
    expect(names()).toEqual(["whole"]);
    expect(events).toEqual(["gone cut"]);
  });
});

describe("dead writers", () => {
  test("a killed one is told, its ring stays for a while and is swept then", async () => {
    const child = await rings.producer("a", camera);
    const swept: string[] = [];
    const found = started({ deadMs: never, sweep: (name) => swept.push(name) });
    child.kill("SIGKILL");
    await child.exited;
    found.scan();
    found.scan();
    expect(found.get("a")?.look().state).toBe("dead");
    expect(events).toEqual(["changed a"]);
    expect(swept).toEqual([]);
  });

  test("its ring and lock are unlinked when the time is over", async () => {
    const child = await rings.producer("a", camera);
    const found = started({ deadMs: 0 });
    child.kill("SIGKILL");
    await child.exited;
    found.scan();
    found.scan();
    expect(rings.exists("a")).toBeFalse();
    expect(readdirSync("/dev/shm").filter((file) => file.includes(rings.prefix))).toEqual([]);
    expect(events).toEqual(["changed a", "gone a"]);
  });

  test("one that lives is never swept, even when its ring says retired", async () => {
    rings.writer("a", camera).publish(frame);
    const swept: string[] = [];
    const found = started({ deadMs: 0, sweep: (name) => swept.push(name) });
    const file = Bun.file(rings.path("a"));
    const bytes = new Uint8Array(await file.arrayBuffer());
    expect(bytes[140]).toBe(0);
    Bun.spawnSync(["dd", `of=${rings.path("a")}`, "bs=1", "seek=140", "conv=notrunc"], {
      stdin: Uint8Array.of(1),
      stderr: "ignore",
    });
    found.scan();
    found.scan();
    expect(found.get("a")?.look().state).toBe("retired");
    expect(swept).toEqual([]);
  });
});

describe("rate", () => {
  const second = 1_000_000_000n;

  function at(rate: bigint, frames: number): RateMeter {
    const meter = new RateMeter();
    for (let n = 1n; n <= BigInt(frames); n++) meter.see(n, (n * second) / rate);
    return meter;
  }

  test("is what was published, not what was looked at", () => {
    const meter = new RateMeter();
    meter.see(10n, 1n * second);
    meter.see(70n, 2n * second);
    expect(meter.perSecond(2n * second)).toBe(60);
  });

  test("of a slow stream spans more than the window", () => {
    const meter = new RateMeter();
    meter.see(1n, 10n * second);
    meter.see(2n, 20n * second);
    expect(meter.perSecond(25n * second)).toBe(0.1);
    expect(meter.perSecond(41n * second)).toBe(0);
  });

  test("falls to 0 when nothing comes any more, and forgets what lies before the window", () => {
    const meter = at(30n, 300);
    expect(meter.perSecond(10n * second)).toBeCloseTo(30, 3);
    expect(meter.perSecond(13n * second)).toBe(0);
    for (let n = 301n; n <= 400n; n++) meter.see(n, 10n * second + ((n - 300n) * second) / 10n);
    expect(meter.perSecond(20n * second)).toBeCloseTo(10, 3);
  });

  test("is unknown from one frame, or where the writer's times stand still", () => {
    const meter = new RateMeter();
    expect(meter.perSecond(0n)).toBeNull();
    for (let n = 1n; n < 5000n; n++) meter.see(n, second);
    expect(meter.perSecond(second)).toBeNull();
  });
});
