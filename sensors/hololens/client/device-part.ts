/**
 * The process that holds the remote configuration port: what the headset is, what its clock says, and its
 * settings. The streams' processes are told, and ask.
 */
import { createBursts } from "../../../src/clock/bursts.ts";
import { createProbeClock, type TickProbe } from "../../../src/clock/probe-clock.ts";
import type { News } from "../../../src/clock/timeline.ts";
import { monotonicNs } from "../../../src/ring/ffi.ts";
import type { SensorContext } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import type { HololensConfig } from "../config.ts";
import { queryPorts } from "../wire/ports.ts";
import { createBackOff } from "./back-off.ts";
import { createControls } from "./controls.ts";
import { ticksPerSecond } from "./device-link.ts";
import { hostWords } from "./host-words.ts";
import { ConnectionLost, type LossReason } from "./lost.ts";
import {
  type Answers,
  atLeast,
  clockVersion,
  type DeviceState,
  type FromDevice,
  type ToDevice,
} from "./parts.ts";
import { connectRemote, type Remote } from "./remote.ts";
import { versionWarning } from "./version.ts";

export interface DeviceTimers {
  connectMs?: number;
  answerMs?: number;
  /** Between bursts of probes. */
  periodMs?: number;
  gapMs?: number;
}

/** A headset that was tried a moment ago is not tried again for each stream that asks. */
const freshMs = 500;
const heartbeatMs = 2000;
/** The streams' processes, if they run, say which epoch they know. */
const greetingMs = 300;

export async function runDevice(
  config: HololensConfig,
  context: SensorContext,
  timers: DeviceTimers = {},
): Promise<void> {
  const { signal, log } = context;
  const port = queryPorts.remote_configuration + config.ports;
  const where = { host: config.host, port, signal, nowNs: monotonicNs, ...timers };
  const tell = (message: FromDevice) => context.tell(message);
  let state: DeviceState = { reach: "starting", version: null, utcOffset: null };
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let remote: Remote | null = null;
  let hurry = () => {};
  let tried = Promise.withResolvers<void>();

  const became = (change: Partial<DeviceState>) => {
    state = { ...state, ...change };
    triedAtMs = performance.now();
    tell({ type: "state", state });
    tried.resolve();
    tried = Promise.withResolvers();
  };

  // --- the clock ---
  let epochBase = 0;
  let lastNews: News | null = null;
  const sayNews = () => {
    if (lastNews) tell({ type: "clock", news: { ...lastNews, epoch: lastNews.epoch + epochBase } });
  };
  const clock = createProbeClock({
    ticksPerSecond,
    news(news) {
      lastNews = news;
      sayNews();
    },
  });
  const sayClock = () => {
    const now = clock.state();
    context.clock({ ...now, epoch: now.epoch + epochBase });
  };
  const answersProbes = () => state.version !== null && atLeast(state.version, clockVersion);
  const probe = async (): Promise<TickProbe> => {
    if (!remote || !answersProbes()) throw new ConnectionLost("closed");
    const { reply, askedNs, answeredNs } = await remote.ask("currentTime", { source: 0 });
    return { t0Ns: askedNs, deviceTicks: reply, t3Ns: answeredNs };
  };
  const bursts = createBursts({
    ...{ clock, probe, signal, periodMs: timers.periodMs, gapMs: timers.gapMs },
    settled: () => clock.probedNs !== null && sayClock(),
    failed() {}, // its connection has ended over it, which is said there
  });

  // --- the other processes ---
  const check = async (): Promise<DeviceState> => {
    if (remote) await remote.ask("pvStatus", {}).catch(() => {});
    else if (performance.now() - triedAtMs >= freshMs) {
      const outcome = tried.promise;
      hurry();
      await outcome;
    }
    return state;
  };
  const pvStatus = async (): Promise<Answers["pv-status"]> => {
    const answer = await remote?.ask("pvStatus", {}).catch(() => null);
    return answer ? (answer.reply === 0 ? "off" : "on") : null;
  };
  const controls = createControls({ config, state: () => state, remote: () => remote, log });
  context.controls(controls);
  context.heard(async (message) => {
    const told = message as ToDevice;
    switch (told.type) {
      case "hello": {
        const known = lastNews ? lastNews.epoch + epochBase : -1;
        if (told.epoch !== null && told.epoch > known)
          epochBase += told.epoch - Math.max(known, 0) + 1;
        tell({ type: "state", state });
        return sayNews();
      }
      case "doubt":
        return bursts.soon();
      case "pv-started":
        return controls.again();
      case "ask": {
        const answer = told.question === "state" ? await check() : await pvStatus();
        tell({ type: "answer", id: told.id, answer });
      }
    }
  });

  // --- the connection ---
  const session = async (connected: Remote): Promise<unknown> => {
    const { reply: version } = await connected.ask("applicationVersion", {});
    const { reply: utcOffset } = await connected.ask("utcOffset", {});
    const said = version.join(".");
    if (said !== state.version?.join(".")) {
      const warning = versionWarning(version);
      if (warning) log.warn(warning);
      else log.info(`hl2ss ${said} at ${connected.address}`);
    }
    remote = connected;
    became({ reach: "answers", version, utcOffset });
    context.state("running", `hl2ss ${said}`);
    if (answersProbes()) bursts.soon();
    const beat = setInterval(() => connected.ask("pvStatus", {}).catch(() => {}), heartbeatMs);
    try {
      return await connected.ended;
    } finally {
      clearInterval(beat);
    }
  };

  context.state("connecting", `${where.host} port ${port}`);
  await sleep(greetingMs, signal);
  const probing = bursts.run();
  const backOff = createBackOff();
  while (!signal.aborted) {
    let connected: Remote | null = null;
    let lost: unknown;
    try {
      connected = await connectRemote(where);
      lost = await session(connected);
    } catch (error) {
      lost = error;
    }
    const answered = remote !== null;
    remote = null;
    connected?.close();
    if (signal.aborted) break;
    if (answered) backOff.reset();
    const reach: LossReason = lost instanceof ConnectionLost ? lost.reason : "closed";
    const words =
      lost instanceof ConnectionLost
        ? (hostWords(reach, where.host, port) as string)
        : `port ${port} does not speak the protocol: ${(lost as Error).message}`;
    log.warn(`${words}; tried again`);
    context.state("connecting", words);
    became({ reach });
    const rest = Promise.withResolvers<void>();
    hurry = rest.resolve;
    await Promise.race([sleep(backOff.next(), signal), rest.promise]);
  }
  await probing;
}
