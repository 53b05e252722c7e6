/** One simulated camera: test picture and tones, paced, with everything about them changing on request. */
import { monotonicNs } from "../../../src/ring/ffi.ts";
import { pace } from "../../pace.ts";
import type { FaultName } from "./fault-kinds.ts";
import { parsePadding, parseRate, parseSize, parseSound } from "./forms.ts";
import type { Outlet } from "./outlet.ts";
import { rational } from "./rate.ts";
import { TestPicture } from "./test-picture.ts";
import { tones } from "./tones.ts";

export interface TestForm {
  width: number;
  height: number;
  fps: number;
  alpha: boolean;
  paddingBytes: number;
  sampleRateHz: number;
  channels: number;
}

/** What has waited longer than this is left out, so that a process that was stopped does not send a flood. */
const lateNs = 500_000_000n;

export class TestSource {
  readonly outlet: Outlet;
  readonly #index: number;
  #form: TestForm;
  #picture: TestPicture;
  #changed = new AbortController();
  #number = 0;

  /** @param index which of the process's sources, for its colour */
  constructor(outlet: Outlet, index: number, form: TestForm) {
    this.outlet = outlet;
    this.#index = index;
    this.#form = form;
    this.#picture = new TestPicture(form, index);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#changed = new AbortController();
      await this.#play(AbortSignal.any([signal, this.#changed.signal]));
    }
  }

  /** @returns whether it is one of the picture or the sound */
  apply(fault: FaultName, value: string | null): boolean {
    const text = value ?? "";
    switch (fault) {
      case "size":
        return this.#become(parseSize(text));
      case "fps":
        return this.#become({ fps: parseRate(text) });
      case "alpha":
      case "opaque":
        return this.#become({ alpha: fault === "alpha" });
      case "padding":
        return this.#become({ paddingBytes: parsePadding(text) });
      case "sound":
        return this.#become(parseSound(text));
      default:
        return false;
    }
  }

  #become(change: Partial<TestForm>): true {
    this.#form = { ...this.#form, ...change };
    this.#picture = new TestPicture(this.#form, this.#index);
    this.#changed.abort();
    return true;
  }

  /** Until something about it changes. */
  async #play(signal: AbortSignal): Promise<void> {
    const rate = rational(this.#form.fps);
    const fps = rate.rateN / rate.rateD;
    const options = { signal, catchUpNs: lateNs };
    let sample = 0;
    for await (const { index } of pace(fps, monotonicNs(), options)) {
      const end = Math.round(((index + 1) * this.#form.sampleRateHz) / fps);
      const firstOfAll = Math.round((index * this.#form.sampleRateHz) / fps);
      // Sound first, as it belongs to the picture that follows. What was skipped is not made up.
      this.#sendSound(Math.max(sample, firstOfAll), end);
      sample = end;
      this.#picture.paint(this.#number++ % 65536);
      this.outlet.picture(this.#whole(), rate);
    }
  }

  #whole() {
    const { width, height } = this.#form;
    const { data, strideBytes, fourCC } = this.#picture;
    return { width, height, data, strideBytes, fourCC };
  }

  #sendSound(from: number, end: number): void {
    const { sampleRateHz, channels, paddingBytes } = this.#form;
    const samples = end - from;
    const strideSamples = samples + Math.ceil(paddingBytes / 4);
    const planes = tones(from, samples, { sampleRateHz, channels }, strideSamples);
    const strideBytes = strideSamples * 4;
    this.outlet.sound({ sampleRateHz, channels, samples, planes, strideBytes });
  }
}
