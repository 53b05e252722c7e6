/** A camera on the network or of this machine: every picture at once, and connected again when it is lost. */
import { monotonicNs } from "../../src/ring/ffi.ts";
import { SensorError } from "../sensor.ts";
import { failure } from "./failure.ts";
import type { Packet } from "./ffmpeg.ts";
import { createDeviceClock, createNetworkClock, type LiveClock } from "./live-clock.ts";
import { type Live, playLive, showLive } from "./live-tracks.ts";
import { openSource, type Source } from "./source.ts";
import { sleep } from "./wait.ts";

const backoffMinMs = 500;
const backoffMaxMs = 5000;
/** FFmpeg gives up a silent TCP connection by itself, but not every other. */
const silentMaxMs = 10_000;
const clockReportMs = 2000;

interface Clocks {
  picture: LiveClock;
  sound: LiveClock;
}

/** Returns when the sensor is told to end. Throws where trying again cannot help. */
export async function followLive(live: Live): Promise<void> {
  const { context, options } = live;
  const { signal } = context;
  const device = options.address.type === "device";
  const clocks: Clocks = {
    picture: device ? createDeviceClock() : createNetworkClock(),
    sound: createNetworkClock(),
  };
  const report = setInterval(() => context.clock(clocks.picture.state()), clockReportMs);
  let backoffMs = backoffMinMs;
  context.state("connecting", options.address.words);
  try {
    while (!signal.aborted) {
      try {
        await connection(live, clocks, () => {
          backoffMs = backoffMinMs;
        });
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof SensorError && error.retry)) throw error;
        // A read that hangs in a driver cannot be ended here: a new process is the way out.
        if (device && error instanceof Silent) throw error;
        const words = `${error.message}; tried again every ${backoffMs / 1000} s`;
        context.log.warn(words);
        context.state("connecting", words);
      }
      await sleep(backoffMs, signal);
      backoffMs = Math.min(2 * backoffMs, backoffMaxMs);
    }
  } finally {
    clearInterval(report);
  }
}

/** From connecting to being lost, which is always an error. */
async function connection(live: Live, clocks: Clocks, alive: () => void): Promise<void> {
  const { ffmpeg, log, context, options } = live;
  const source = await openSource(ffmpeg, log, options, context.signal);
  reconnected(clocks.picture);
  reconnected(clocks.sound);
  context.state("waiting", `connected to ${options.address.words}, no picture yet`);
  let count = 0;
  const shown = () => {
    if (count++ > 0) return;
    alive();
    context.state("running");
    context.clock(clocks.picture.state());
  };
  const picture = showLive(live, source.picture, clocks.picture, shown);
  const sound = source.sound && playLive(live, source.sound, clocks.sound);
  const packet = new ffmpeg.Packet();
  packet.alloc();
  try {
    for (;;) {
      const code = await readOrSilence(source, packet);
      const arrivalNs = monotonicNs();
      if (context.signal.aborted) return;
      if (code === "silent") throw new Silent(options.address.words);
      if (code < 0) throw await lost(live, code);
      if (packet.streamIndex === source.picture.index) await picture.take(packet, arrivalNs);
      else await sound?.take(packet, arrivalNs);
      packet.unref();
    }
  } finally {
    picture.close();
    sound?.close();
    const closed = await source.close();
    if (closed) packet.free(); // else a read that hangs in the kernel may still fill it
  }
}

function reconnected(clock: LiveClock): void {
  if (clock.state().offsetNs !== null) clock.reconnected();
}

class Silent extends SensorError {
  constructor(where: string) {
    super(`${where} has sent nothing for ${silentMaxMs / 1000} s`, { retry: true });
  }
}

async function readOrSilence(source: Source, packet: Packet): Promise<number | "silent"> {
  const silent = Promise.withResolvers<"silent">();
  const timer = setTimeout(() => silent.resolve("silent"), silentMaxMs);
  const code = await Promise.race([source.read(packet), silent.promise]);
  clearTimeout(timer);
  return code;
}

async function lost({ ffmpeg, log, options }: Live, code: number): Promise<SensorError> {
  const { address } = options;
  if (code === ffmpeg.constants.AVERROR_EOF) {
    return new SensorError(`${address.words} has ended its stream`, { retry: true });
  }
  await log.settle();
  return failure(ffmpeg, { address, code, lines: log.takeErrors(), what: "read further" });
}
