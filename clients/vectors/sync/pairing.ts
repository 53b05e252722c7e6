/**
 * What belongs together, by the definition alone: for each frame of the driver all frames of the others are looked at
 * anew. It shares nothing with any client, and is as slow as it may be.
 */
import type { Member, MissingReason, Trace, TraceEvent, TraceFrame, TraceSet } from "./trace.ts";

type Recording = Pick<Trace, "toleranceNs" | "drives" | "streams"> & { events: TraceEvent[] };

interface Published {
  frame: TraceFrame;
  timeNs: number;
}

interface Story {
  frames: Published[];
  /** Its writer ended for good. */
  down: boolean;
  generation: number;
}

/** Published frames without a capture time come after all that have one, in their order. */
const unknownFromNs = 1e15;

function storyOf(stream: string, events: TraceEvent[]): Story {
  const story: Story = { frames: [], down: false, generation: 0 };
  let sequence = 0;
  for (const [index, event] of events.entries()) {
    if (event.stream !== stream) continue;
    if ("restart" in event) {
      story.generation++;
      sequence = 0;
    } else if ("end" in event) story.down = true;
    else {
      const timeNs = event.captureNs ?? unknownFromNs + index;
      story.frames.push({ frame: [story.generation, ++sequence], timeNs });
    }
  }
  return story;
}

/**
 * The sets that are decided after these events, in the driver's order. A member's frame is out of the question once it was
 * given, or once one after it in its stream was; of the rest the last one before the instant and the first one from it on
 * can be meant.
 */
export function reproducible({ events, streams, drives, toleranceNs }: Recording): TraceSet[] {
  const driver = storyOf(drives, events);
  const others = streams.filter(({ name }) => name !== drives);
  const stories = new Map(others.map(({ name }) => [name, storyOf(name, events)]));
  const given = new Map(others.map(({ name }) => [name, new Set<number>()]));
  const reached = new Map(others.map(({ name }) => [name, 0]));
  const sets: TraceSet[] = [];
  for (const { frame, timeNs } of driver.frames) {
    const set: TraceSet = { [drives]: frame };
    for (const [name, { frames, down }] of stories) {
      const used = given.get(name) as Set<number>;
      const from = reached.get(name) as number;
      const after = frames.findIndex((one, index) => index >= from && one.timeNs >= timeNs);
      if (after < 0 && !down) return sets;
      const end = after < 0 ? frames.length : after;
      const wanted = [end - 1, after].filter(
        (index) => index >= 0 && !used.has(index) && near(frames[index], timeNs, toleranceNs),
      );
      const [index] = wanted.sort((a, b) => away(frames[a], timeNs) - away(frames[b], timeNs));
      reached.set(name, index === after && index !== undefined ? after + 1 : end);
      if (index !== undefined) used.add(index);
      set[name] = index === undefined ? whyNone() : (frames[index] as Published).frame;

      function whyNone(): MissingReason {
        if (after < 0) return "stream down";
        return after === 0 ? "too late" : "gap";
      }
    }
    sets.push(set);
  }
  return sets;
}

/** The sets of a reader that is quick enough to see each frame of the driver before anything else is published. */
export function available({ events, streams, drives, toleranceNs }: Recording): TraceSet[] {
  const given = new Map(streams.map(({ name }) => [name, new Set<string>()]));
  const sets: TraceSet[] = [];
  for (const [index, event] of events.entries()) {
    if (event.stream !== drives || !("captureNs" in event)) continue;
    const past = events.slice(0, index + 1);
    const { frame, timeNs } = storyOf(drives, past).frames.at(-1) as Published;
    const set: TraceSet = { [drives]: frame };
    for (const { name } of streams) if (name !== drives) set[name] = member(name, past, timeNs);
    sets.push(set);
  }
  return sets;

  function member(name: string, past: TraceEvent[], timeNs: number): Member {
    const { frames, down, generation } = storyOf(name, past);
    const ring = frames.filter(({ frame }) => frame[0] === generation);
    const used = given.get(name) as Set<string>;
    const [nearest] = ring
      .filter((one) => near(one, timeNs, toleranceNs) && !used.has(String(one.frame)))
      .sort((a, b) => away(a, timeNs) - away(b, timeNs));
    if (nearest) {
      used.add(String(nearest.frame));
      return nearest.frame;
    }
    if (down) return "stream down";
    const [oldest, newest] = [ring[0], ring.at(-1)];
    if (!oldest || !newest || newest.timeNs < timeNs - toleranceNs) return "too early";
    return oldest.timeNs > timeNs + toleranceNs ? "too late" : "gap";
  }
}

function away(one: Published | undefined, timeNs: number): number {
  return one ? Math.abs(one.timeNs - timeNs) : Number.POSITIVE_INFINITY;
}

function near(one: Published | undefined, timeNs: number, toleranceNs: number): boolean {
  return away(one, timeNs) <= toleranceNs;
}
