/** The life of a sensor: looks for its source, connects, receives until it is lost, and begins anew. */
import type { DeviceClock } from "../../../src/clock/device-clock.ts";
import { createBackOff } from "../../back-off.ts";
import type { SensorContext } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import { hxMissing, hxRemedy } from "../libndi/hx.ts";
import { Receiver } from "../libndi/receiver.ts";
import { type Captured, capture, type Ended } from "./capture.ts";
import { createNdiClock } from "./clock.ts";
import { askedFor } from "./picture-layout.ts";
import { createPictures } from "./pictures.ts";
import { reach } from "./reach.ts";
import { findSource, nameAt, type Search } from "./search.ts";
import { createSound } from "./sound.ts";
import { createStillPicture, type StillPicture } from "./still-picture.ts";

const clockReportMs = 2000;
const backOffLeastMs = 250;

/** Returns when the sensor is told to end. */
export async function followSource(search: Search): Promise<void> {
  const { context } = search;
  const captured = open(search);
  const { clock, receiver } = captured;
  const backOff = createBackOff(backOffLeastMs);
  const whereabouts = createWhereabouts(search, clock);
  const report = setInterval(() => context.clock(clock.state()), clockReportMs);
  const flowing = () => {
    backOff.reset();
    context.state("running");
    context.clock(clock.state());
  };
  try {
    while (!context.signal.aborted) {
      const found = await whereabouts.find();
      if (found === null) return;
      const why = await connection(search, captured, { ...found, flowing });
      if (why === null) return;
      const pauseMs = backOff.next();
      const words = `${found.who} ${why}; tried again in ${(pauseMs / 1000).toFixed(1)} s`;
      context.log.warn(words);
      context.state("connecting", words);
      await sleep(pauseMs, context.signal);
    }
  } finally {
    clearInterval(report);
    receiver.close();
  }
}

function open({ ndi, config, context }: Search): Omit<Captured, "flowing" | "silent"> {
  const { bandwidth, connectTimeoutMs, silentTimeoutMs, address, source } = config;
  const { colorFormat } = askedFor[config.pixelFormat];
  const clock = createNdiClock();
  const origin = {
    ...{ context, config, clock, still: decoderWatch(context) },
    source: { kind: "ndi", ...(address ? { address } : { source }) },
  };
  return {
    receiver: new Receiver(ndi, { colorFormat, bandwidth, name: `streamem ${context.name}` }),
    context,
    clock,
    pictures: bandwidth === "audio-only" ? null : createPictures(origin),
    sound: config.audio ? createSound(origin) : null,
    connectTimeoutMs,
    silentTimeoutMs,
  };
}

function decoderWatch(context: SensorContext): StillPicture | undefined {
  if (hxMissing() === null) return;
  return createStillPicture((still) => {
    const words = `nothing moves in the picture: it may be libndi's "Video decoder not found". ${hxRemedy}`;
    if (still) context.log.warn(words);
    context.state("running", still ? words : undefined);
  });
}

interface Found {
  address: string;
  /** For people. */
  who: string;
  /** To be called once it is connected to, with the host's number for its name. */
  connecting(address: string, signal: AbortSignal): void;
}

/** By name, but where an address is configured by that, until the name of what is there is known. */
function createWhereabouts(search: Search, clock: DeviceClock) {
  const { address: configured, source = [] } = search.config;
  let name: string | null = null;
  let host: string | null = null;

  const connecting: Found["connecting"] = (address, signal) => {
    const before = host;
    host = address.split(":")[0] as string;
    // UTC goes on while a sender is started anew; that of another computer is another clock.
    if (before !== null && host !== before) clock.reset();
    if (name !== null) return;
    void nameAt(search, address, signal).then((learned) => {
      if (name !== null || learned === null) return;
      name = learned;
      search.context.log.info(`the source at ${address} is "${name}"`);
    });
  };

  return {
    async find(): Promise<Found | null> {
      if (configured && name === null) return { address: configured, who: configured, connecting };
      const hosts = host === null ? [] : [host];
      const found = await findSource(search, { substrings: source, name, hosts });
      if (found === null) return null;
      name = found.name;
      return { address: found.address, who: `"${name}" at ${found.address}`, connecting };
    },
  };
}

/** One connection, from asking whether anybody is there to its end. Null: the sensor is to end; else why it is over. */
async function connection(
  { context }: Search,
  captured: Omit<Captured, "flowing" | "silent">,
  { address, who, connecting, flowing }: Found & { flowing: () => void },
): Promise<string | null> {
  const { signal } = context;
  context.state("connecting", who);
  const { connectTimeoutMs, silentTimeoutMs } = captured;
  const reached = await reach(address, { signal, timeoutMs: connectTimeoutMs });
  if (signal.aborted) return null;
  if ("why" in reached) return reached.why;
  const over = new AbortController();
  connecting(reached.address, over.signal);
  const silent = () => {
    const words = `${who} is connected and has sent nothing for ${silentTimeoutMs / 1000} s`;
    context.log.warn(words);
    context.state("waiting", words);
  };
  const ended = await capture({ ...captured, flowing, silent }, reached.address);
  over.abort();
  return ended === "aborted" ? null : lossWords[ended];
}

const lossWords: Record<Exclude<Ended, "aborted">, string> = {
  lost: "has ended",
  unanswered: "does not take the connection",
  silent: "has sent nothing for long",
};
