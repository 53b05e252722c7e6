/** Sound of a stream in the loudspeaker: each block is scheduled where the one before ends. */

/** So much sound waits in the loudspeaker's queue: blocks come unevenly. */
const leadSeconds = 0.15;
/** Beyond that the stream runs ahead of the loudspeaker's clock, and a part is left out. */
const leadMaxSeconds = 0.6;

export class Listening {
  readonly #context: AudioContext;
  #nextSeconds = 0;
  /** Seconds of sound handed to the loudspeaker so far. */
  seconds = 0;

  /** Call from a click: browsers let no page make a sound by itself. */
  constructor() {
    this.#context = new AudioContext();
  }

  /** Rejects where the browser refuses. */
  async start(): Promise<void> {
    await this.#context.resume();
    if (this.#context.state !== "running") throw new Error("the browser lets no sound out");
  }

  play(channels: Float32Array[], sampleRateHz: number): void {
    const [first] = channels;
    if (!first || first.length === 0) return;
    const heard = channels.slice(0, 2);
    const buffer = this.#context.createBuffer(heard.length, first.length, sampleRateHz);
    for (const [index, samples] of heard.entries()) {
      buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, index);
    }
    const now = this.#context.currentTime;
    if (this.#nextSeconds > now + leadMaxSeconds) return;
    if (this.#nextSeconds < now) this.#nextSeconds = now + leadSeconds;
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.start(this.#nextSeconds);
    this.#nextSeconds += buffer.duration;
    this.seconds += buffer.duration;
  }

  stop(): void {
    this.#context.close();
  }
}
