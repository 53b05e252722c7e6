/** Inertial and other numbers over time: a frame of many samples as points of a few named lines. */
import type { StreamBody } from "../../api/schemas.ts";
import { type Column, columnsOf } from "./records.ts";

/** The first is time in s, each other one a line; null where a line has no value. */
export type Plotted = [number[], ...number[][]];

const keptSeconds = 10;
/** More points than pixels show nothing; of each bin the least and the largest value stay, so no peak is lost. */
const binsPerSecond = 40;
const linesMax = 9;

export class SampleWindow {
  readonly names: string[];
  readonly data: Plotted;
  readonly #columns: Column[];
  readonly #stream: Pick<StreamBody, "rate">;
  #lastSeconds: number | null = null;

  constructor(stream: Pick<StreamBody, "dtype" | "shape" | "rate" | "kind">) {
    this.#stream = stream;
    this.#columns = columnsOf(stream).filter(isPlotted).slice(0, linesMax);
    this.names = this.#columns.map(({ name }) => name);
    this.data = [[], ...this.names.map(() => [])];
  }

  /** @param seconds of its first sample; the others are spread evenly up to the next frame */
  add(data: Uint8Array, seconds: number): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const rows = this.#columns[0] ? Math.floor(data.byteLength / this.#columns[0].rowBytes) : 0;
    if (rows === 0) return;
    const periodSeconds = this.#period(seconds);
    const bins = Math.max(1, Math.min(rows, Math.ceil(periodSeconds * binsPerSecond)));
    for (let bin = 0; bin < bins; bin++) {
      const from = Math.floor((bin * rows) / bins);
      const to = Math.floor(((bin + 1) * rows) / bins);
      this.#addBin(view, from, to, seconds + (from * periodSeconds) / rows);
    }
    this.#forget(seconds - keptSeconds);
  }

  #period(seconds: number): number {
    const nominal = this.#stream.rate ? 1 / this.#stream.rate : 0.1;
    const measured = this.#lastSeconds === null ? nominal : seconds - this.#lastSeconds;
    this.#lastSeconds = seconds;
    return measured > 0 && measured < 3 * nominal ? measured : nominal;
  }

  #addBin(view: DataView, from: number, to: number, seconds: number): void {
    const [times, ...lines] = this.data;
    const many = to - from > 1;
    times.push(seconds);
    if (many) times.push(seconds);
    for (const [index, { read, rowBytes, offset }] of this.#columns.entries()) {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let row = from; row < to; row++) {
        const value = Number(read(view, row * rowBytes + offset));
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      lines[index]?.push(low);
      if (many) lines[index]?.push(high);
    }
  }

  #forget(beforeSeconds: number): void {
    const [times] = this.data;
    let count = 0;
    while (count < times.length && (times[count] as number) < beforeSeconds) count += 1;
    // A clock that was set back must not keep points for ever.
    const most = keptSeconds * binsPerSecond * 4;
    count = Math.max(count, times.length - most);
    if (count > 0) for (const list of this.data) list.splice(0, count);
  }
}

/** Ticks only grow: a line of them says nothing. */
function isPlotted({ name }: Column): boolean {
  return !/tick|time|valid|temperature/i.test(name);
}
