/** The life of a sensor: looks for its source, connects, receives until it is lost, and begins anew. */
import { createBackOff } from "../../back-off.ts";
import { sleep } from "../../video/wait.ts";
import type { FoundSource } from "../libndi/finder.ts";
import { Receiver } from "../libndi/receiver.ts";
import { capture, type Ended } from "./capture.ts";
import { createNdiClock } from "./clock.ts";
import { askedFor } from "./picture-layout.ts";
import { createPictures } from "./pictures.ts";
import { reach } from "./reach.ts";
import { findSource, nameAt, type Search, type Wanted } from "./search.ts";
import { createSound } from "./sound.ts";

const clockReportMs = 2000;
const backOffLeastMs = 250;

/** Returns when the sensor is told to end. */
export async function followSource(search: Search): Promise<void> {
  const { ndi, config, context } = search;
  const { signal } = context;
  const clock = createNdiClock();
  const source = {
    kind: "ndi",
    ...(config.address ? { address: config.address } : { source: config.source }),
  };
  const origin = { context, config, clock, source };
  const pictures = config.bandwidth === "audio-only" ? null : createPictures(origin);
  const sound = config.audio ? createSound(origin) : null;
  const { colorFormat } = askedFor[config.pixelFormat];
  const { bandwidth, connectTimeoutMs, silentTimeoutMs } = config;
  const receiver = new Receiver(ndi, { colorFormat, bandwidth, name: `streamem ${context.name}` });
  const backOff = createBackOff(backOffLeastMs);
  const wanted: Wanted = { substrings: config.source ?? [], name: null, hosts: [] };
  const report = setInterval(() => context.clock(clock.state()), clockReportMs);
  let lastHost: string | null = null;

  /** By name, but at first where an address was given. */
  const locate = async (): Promise<FoundSource | null> => {
    if (config.address && wanted.name === null) return { name: "", address: config.address };
    return findSource(search, wanted);
  };

  const connectedTo = (found: FoundSource, address: string) => {
    const host = address.split(":")[0] as string;
    // A clock of UTC goes on while its sender is restarted; another computer's is another one.
    if (lastHost !== null && host !== lastHost) clock.reset();
    lastHost = host;
    wanted.hosts = [host];
    if (found.name) wanted.name = found.name;
  };

  try {
    while (!signal.aborted) {
      const found = await locate();
      if (found === null) return;
      const who = found.name ? `"${found.name}" at ${found.address}` : found.address;
      context.state("connecting", who);
      const again = async (why: string) => {
        const pauseMs = backOff.next();
        const words = `${who} ${why}; tried again in ${(pauseMs / 1000).toFixed(1)} s`;
        context.log.warn(words);
        context.state("connecting", words);
        await sleep(pauseMs, signal);
      };
      const reached = await reach(found.address, { signal, timeoutMs: connectTimeoutMs });
      if (signal.aborted) return;
      if ("why" in reached) {
        await again(reached.why);
        continue;
      }
      connectedTo(found, reached.address);
      const naming = new AbortController();
      if (wanted.name === null) {
        void nameAt(search, reached.address, naming.signal).then((name) => {
          wanted.name ??= name;
        });
      }
      const ended = await capture(
        {
          ...{ receiver, context, clock, pictures, sound, connectTimeoutMs, silentTimeoutMs },
          flowing() {
            backOff.reset();
            context.state("running");
            context.clock(clock.state());
          },
          silent: () =>
            context.state(
              "waiting",
              `${who} is connected, but has sent nothing for ${silentTimeoutMs / 1000} s`,
            ),
        },
        reached.address,
      );
      naming.abort();
      if (ended === "aborted") return;
      await again(lossWords[ended]);
    }
  } finally {
    clearInterval(report);
    receiver.close();
  }
}

const lossWords: Record<Exclude<Ended, "aborted">, string> = {
  lost: "has ended",
  unanswered: "takes the connection and does not answer",
  silent: "has sent nothing for long",
};
