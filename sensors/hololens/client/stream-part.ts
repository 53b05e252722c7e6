/**
 * The process of one stream: connects, fetches the calibration, starts the source where it needs that,
 * receives; and when the connection is lost, says why and connects again, with the rings it has.
 */

import { createBackOff } from "../../back-off.ts";
import { type SensorContext, SensorError } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import type { HololensConfig } from "../config.ts";
import { receivingOf } from "../streams/families.ts";
import type { Receiver, StreamReceiving } from "../streams/receiver.ts";
import { encodeConfiguration } from "../wire/configuration.ts";
import { framingOf } from "../wire/framing.ts";
import { queryPorts, type StreamFamily, type StreamName, streamPorts } from "../wire/ports.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { createCalibrating } from "./calibrating.ts";
import type { ConnectOptions } from "./connection.ts";
import { createDeviceLink, type DeviceLink, type LinkClock } from "./device-link.ts";
import { hasList, showList } from "./device-lists.ts";
import { createLossLog } from "./loss-log.ts";
import { lossWords } from "./loss-words.ts";
import { Restarted, runSession, SessionLost, type StreamTimers } from "./session.ts";
import { startCommand, startSource, stopSource } from "./source-start.ts";

/** Shorter in tests. */
export interface Timers extends Partial<StreamTimers> {
  /** Before the first attempt after a loss. */
  leastRetryMs?: number;
}

const usualTimers = { firstPacketMs: 15_000, idleMs: 5000 };
/** Packets that are asked for less often than this may stay away longer. */
const idlePeriods = 3;
const clockReportMs = 2000;

interface Part {
  config: HololensConfig;
  context: SensorContext;
  stream: StreamName;
  family: StreamFamily;
  receiving: StreamReceiving<StreamFamily>;
  link: DeviceLink;
  where: ConnectOptions;
  timers: StreamTimers & Pick<Timers, "leastRetryMs">;
}

export async function runStream(
  config: HololensConfig,
  context: SensorContext,
  stream: StreamName,
  timers: Timers = {},
): Promise<void> {
  const { port, family } = streamPorts[stream];
  const receiving = receivingOf(family);
  const where = { host: config.host, port: port + config.ports, signal: context.signal };
  context.counters.dropped = 0;
  context.state("connecting", `${where.host} port ${where.port}`);
  const link = createDeviceLink(context);
  await link.tried();
  if (context.signal.aborted) return;
  const lagNs = BigInt(Math.round((config.lagMs[stream] ?? 0) * 1e6));
  const clock = link.clock(lagNs);
  const ring = `${config.name}.${stream}`;
  const receiver = await receiving.open({
    ...{ context, config, stream, ring, clock },
    described: {
      clock: { name: "HoloLens QPC", unit: "100 ns", epoch: "device boot", method: clock.method },
      lagNs: String(lagNs),
      source: { kind: "hololens", host: config.host, stream },
    },
  });
  const report = setInterval(() => clock.state && context.clock(clock.state()), clockReportMs);
  const planned = receiving.rings(config, ring, stream);
  const periodMs = 1000 / (planned[0]?.spec.rate ?? 1000);
  const part: Part = {
    ...{ config, context, stream, family, receiving, link, where },
    timers: {
      ...timers,
      firstPacketMs:
        timers.firstPacketMs ?? Math.max(usualTimers.firstPacketMs, idlePeriods * periodMs),
      idleMs: timers.idleMs ?? Math.max(usualTimers.idleMs, idlePeriods * periodMs),
    },
  };
  try {
    await follow(part, receiver, clock);
  } finally {
    clearInterval(report);
    receiver.close();
    if (startCommand(family, config)) await stopSource(where);
  }
}

async function follow(part: Part, receiver: Receiver, clock: LinkClock): Promise<void> {
  const { config, context, stream, family, link, where } = part;
  const { signal } = context;
  const backOff = createBackOff(part.timers.leastRetryMs);
  const losses = createLossLog(context.log);
  const calibrating = createCalibrating(part);
  const start = startCommand(family, config);
  const bothDepths = (["depth-ahat", "depth-longthrow"] as const).every((name) =>
    config.streams.includes(name),
  );
  let started = false;
  let listed = !hasList(family);

  const startOnce = async () => {
    if (!start) return;
    const status = family === "pv" ? await link.ask("pv-status") : null;
    if (started && status === "on") return; // by us: starting it again would lose its settings
    if (status === "on") {
      context.log.warn(
        "the colour camera was on already: another client may be using it, and starting it for us restarts it",
      );
    }
    context.state("waiting", "starting the camera");
    await startSource(where, start).catch((error) => {
      throw new SessionLost("starting", error);
    });
    started = true;
    if (family === "pv") link.pvStarted();
  };

  const checkClock = () => {
    if (clock.method === "probe" && !link.answersProbes) throw oldServer(link);
  };

  const session = async () => {
    if (!listed) listed = await showList(family, where, context);
    await startOnce();
    await calibrating.fetch();
    checkClock();
    let first = true;
    const configuration = part.receiving.configuration(config, stream);
    await runSession({
      ...where,
      context,
      receiver,
      configuration: encodeConfiguration(family, configuration),
      framing: framingOf(family, configuration, stream),
      timers: part.timers,
      asked: () => context.state("waiting", "connected; no packet yet"),
      arrived(ticks, arrivalNs) {
        checkClock(); // the device part may come to know the server later than the stream comes back
        clock.arrived(ticks, arrivalNs);
        calibrating.saw(ticks);
        if (!first) return;
        first = false;
        backOff.reset();
        losses.back("packets come again");
        context.state("running");
      },
    });
  };

  while (!signal.aborted) {
    try {
      await session();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SessionLost)) throw error;
      const { phase, cause } = error;
      if (cause instanceof Restarted) {
        context.log.info(cause.message);
        continue;
      }
      // Refused before anything came: another start may be what it needs.
      if (phase === "asked") started = false;
      const { reach } = (await link.ask("state")) ?? link.state;
      const devicePort = queryPorts.remote_configuration + config.ports;
      const { host, port } = where;
      const words = lossWords({
        error: cause,
        phase,
        family,
        host,
        port,
        devicePort,
        reach,
        bothDepths,
      });
      // Of the headset as a whole the device part speaks for all.
      losses.lost(words, reach !== "answers" && !(cause instanceof ProtocolError));
      context.state("connecting", words);
    }
    await sleep(backOff.next(), signal);
  }
}

/** Rings say how they are stamped when they are made. */
function oldServer({ state }: DeviceLink): SensorError {
  const words = `hl2ss ${state.version?.join(".")} answers no question for its clock: begun anew, with times from arrivals`;
  return new SensorError(words, { retry: true });
}
