/** Cameras that are not there: one or several sources of a process, over the real libndi. */
import { Finder, type FoundSource } from "../libndi/finder.ts";
import type { Ndi } from "../libndi/load.ts";
import type { Fault } from "./fault-kinds.ts";
import type { FilmSource } from "./film-source.ts";
import type { TestSource } from "./test-source.ts";

export type SimulatedSource = TestSource | FilmSource;

export interface SourceAddress {
  /** `MACHINE (name)`. */
  name: string;
  /** `ip:port`; null where the finder has not seen it. */
  address: string | null;
}

/** The first process that sends from a machine answers for it: another's sources may stay unknown here. */
const patienceMs = 3000;
const lookMs = 5;

export class Simulator {
  readonly #ndi: Ndi;
  readonly #sources: SimulatedSource[];
  readonly #groups: string[];
  readonly #timers = new Set<Timer>();
  readonly #end = new AbortController();

  constructor(ndi: Ndi, sources: SimulatedSource[], groups: string[]) {
    this.#ndi = ndi;
    this.#sources = sources;
    this.#groups = groups;
  }

  /** Until `close`. @throws what a film's file throws */
  async run(): Promise<void> {
    const { signal } = this.#end;
    await Promise.all(this.#sources.map((source) => source.run(signal)));
  }

  /**
   * Where each source can be reached from this machine, by a finder: ports are given out by libndi, which does not tell.
   * Those that are stopped are left out.
   */
  async addresses(): Promise<SourceAddress[]> {
    const names = this.#sources.flatMap(({ outlet }) => outlet.fullName ?? []);
    const finder = new Finder(this.#ndi, { groups: this.#groups, extraIps: ["127.0.0.1"] });
    try {
      const startMs = performance.now();
      for (;;) {
        const found = finder.sources().filter(({ name }) => names.includes(name));
        if (found.length === names.length || performance.now() - startMs > patienceMs) {
          return names.map((name) => ({ name, address: addressIn(found, name) }));
        }
        await Bun.sleep(lookMs);
      }
    } finally {
      finder.close();
    }
  }

  /** Now, or after its seconds. @returns whether every source that it names is there and can do it */
  apply(fault: Fault): boolean {
    const sources = this.#named(fault.source);
    if (fault.afterSeconds === 0) return this.#applyNow(fault, sources);
    this.#later(fault.afterSeconds, () => this.#applyNow(fault, sources));
    return sources.length > 0;
  }

  close(): void {
    this.#end.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { outlet } of this.#sources) outlet.close();
  }

  #named(name: string | null): SimulatedSource[] {
    return this.#sources.filter(({ outlet }) => name === null || outlet.name === name);
  }

  #applyNow({ kind, value }: Fault, sources: SimulatedSource[]): boolean {
    if (kind === "swap") return this.#swap();
    return sources.length > 0 && sources.every((source) => this.#applyTo(source, kind, value));
  }

  #applyTo(source: SimulatedSource, kind: Fault["kind"], value: string | null): boolean {
    const { outlet } = source;
    const takeBackLater = (takeBack: () => void) => {
      if (value !== null) this.#later(Number(value), takeBack);
      return true;
    };
    switch (kind) {
      case "dark":
      case "silent":
      case "metadata":
        outlet[kind] = true;
        return true;
      case "freeze":
        outlet.frozen = true;
        return takeBackLater(() => {
          outlet.frozen = false;
        });
      case "stop":
        outlet.close();
        return takeBackLater(() => outlet.open());
      case "go":
        Object.assign(outlet, { dark: false, silent: false, frozen: false });
        outlet.open();
        return true;
      default:
        return source.apply(kind, value);
    }
  }

  /**
   * libndi gives out the port that was given back last, and then those above it: the last source gets the first one's,
   * unless connections that were open on it hold it for their last minute.
   */
  #swap(): true {
    this.#sources.reverse();
    for (const { outlet } of this.#sources) outlet.close();
    for (const { outlet } of this.#sources) outlet.open();
    return true;
  }

  #later(seconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, seconds * 1000);
    this.#timers.add(timer);
  }
}

function addressIn(found: FoundSource[], wanted: string): string | null {
  return found.find(({ name }) => name === wanted)?.address ?? null;
}
