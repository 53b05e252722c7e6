/**
 * The process that holds the remote configuration port: what the headset is, what its clock says, and its
 * settings. The streams' processes are told, and ask.
 */
import type { TickProbe } from "../../../src/clock/probe-clock.ts";
import { monotonicNs } from "../../../src/ring/ffi.ts";
import { createBackOff } from "../../back-off.ts";
import type { SensorContext } from "../../sensor.ts";
import { sleep } from "../../video/wait.ts";
import type { HololensConfig } from "../config.ts";
import { queryPorts } from "../wire/ports.ts";
import { createControls } from "./controls.ts";
import { createHeadsetClock } from "./device-clock.ts";
import { hostWords } from "./host-words.ts";
import { createLossLog } from "./loss-log.ts";
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

/** Shorter in tests. */
export interface DeviceTimers {
  connectMs?: number;
  answerMs?: number;
  /** Between bursts of probes, and within one. */
  periodMs?: number;
  gapMs?: number;
}

/** A headset that was tried a moment ago is not tried again for each stream that asks. */
const freshMs = 500;
/** So often something is asked, so that a silent headset is noticed. */
const heartbeatMs = 2000;
/** Returns when the sensor is told to end. */
export async function runDevice(
  config: HololensConfig,
  context: SensorContext,
  timers: DeviceTimers = {},
): Promise<void> {
  const { signal, log } = context;
  const tell = (message: FromDevice) => context.tell(message);
  const era = crypto.randomUUID();
  const headset = createHeadset((state) => tell({ type: "state", state }));
  const clock = createHeadsetClock({
    ...{ signal, ...timers, probe: headset.probe },
    news: (news) => tell({ type: "clock", news, era }),
    state: context.clock,
  });
  const { remote, state } = headset;
  const controls = createControls({ config, remote, state, log });
  context.controls(controls);
  context.heard(async (message) => {
    const told = message as ToDevice;
    switch (told.type) {
      case "hello":
        if (told.epoch !== null) clock.known(told.epoch);
        tell({ type: "state", state: state() });
        return clock.again();
      case "doubt":
        return clock.soon();
      case "pv-started":
        return controls.again();
      case "ask": {
        const answer = await (told.question === "state" ? headset.check() : headset.pvStatus());
        tell({ type: "answer", id: told.id, answer });
      }
    }
  });
  const probing = clock.run();
  await follow(config, context, { headset, timers, connected: clock.soon });
  await probing;
}

/** What is known of the headset, and the connection to it while there is one. */
function createHeadset(changed: (state: DeviceState) => void) {
  let state: DeviceState = { reach: "starting", version: null, utcOffset: null };
  let triedMs = Number.NEGATIVE_INFINITY;
  let remote: Remote | null = null;
  let tried = Promise.withResolvers<void>();
  let hurry = () => {};

  return {
    state: () => state,
    remote: () => remote,
    /** A try has come to its end: connected, or with a reason. */
    became(change: Partial<DeviceState>, connected: Remote | null) {
      // A connection that was lost says little: the next try shows what is the matter.
      triedMs = remote ? Number.NEGATIVE_INFINITY : performance.now();
      state = { ...state, ...change };
      remote = connected;
      changed(state);
      tried.resolve();
      tried = Promise.withResolvers();
    },
    /** Asks it first; while there is no connection, what the next try finds. */
    async check(): Promise<DeviceState> {
      if (remote) await remote.ask("pvStatus", {}).catch(() => {});
      else if (performance.now() - triedMs >= freshMs) {
        hurry();
        await tried.promise;
      }
      return state;
    },
    async pvStatus(): Promise<Answers["pv-status"]> {
      const answer = await remote?.ask("pvStatus", {}).catch(() => null);
      return answer ? (answer.reply === 0 ? "off" : "on") : null;
    },
    async probe(): Promise<TickProbe> {
      const { version } = state;
      const answers = version !== null && atLeast(version, clockVersion);
      if (!remote || !answers) throw new ConnectionLost("closed");
      const { reply, askedNs, answeredNs } = await remote.ask("currentTime", { source: 0 });
      return { t0Ns: askedNs, deviceTicks: reply, t3Ns: answeredNs };
    },
    /** Between tries; shorter when somebody asks. */
    rest(ms: number, signal: AbortSignal): Promise<void> {
      const hurried = Promise.withResolvers<void>();
      hurry = hurried.resolve;
      return Promise.race([sleep(ms, signal), hurried.promise]);
    },
  };
}

interface Following {
  headset: ReturnType<typeof createHeadset>;
  timers: DeviceTimers;
  connected(): void;
}

/** Connects again for ever, and says what is wrong. */
async function follow(config: HololensConfig, context: SensorContext, following: Following) {
  const { headset, timers } = following;
  const { signal, log } = context;
  const { host } = config;
  const port = queryPorts.remote_configuration + config.ports;
  const backOff = createBackOff();
  const losses = createLossLog(log);
  context.state("connecting", `${host} port ${port}`);
  while (!signal.aborted) {
    const lost = await connection();
    if (signal.aborted) return;
    if (headset.remote()) backOff.reset();
    const words = wordsFor(lost);
    losses.lost(words);
    context.state("connecting", words);
    const reach: LossReason = lost instanceof ConnectionLost ? lost.reason : "closed";
    headset.became({ reach }, null);
    await headset.rest(backOff.next(), signal);
  }

  /** From connecting to what ended it. */
  async function connection(): Promise<unknown> {
    let remote: Remote | null = null;
    let beat: ReturnType<typeof setInterval> | undefined;
    try {
      remote = await connectRemote({ host, port, signal, nowNs: monotonicNs, ...timers });
      await greet(remote);
      const { ask, ended } = remote;
      beat = setInterval(() => ask("pvStatus", {}).catch(() => {}), heartbeatMs);
      return await ended;
    } catch (error) {
      return error;
    } finally {
      clearInterval(beat);
      remote?.close();
    }
  }

  async function greet(remote: Remote): Promise<void> {
    const { reply: version } = await remote.ask("applicationVersion", {});
    const { reply: utcOffset } = await remote.ask("utcOffset", {});
    const said = version.join(".");
    if (said !== headset.state().version?.join(".")) {
      const warning = versionWarning(version);
      if (warning) log.warn(warning);
      else log.info(`hl2ss ${said} at ${remote.address}`);
    }
    headset.became({ reach: "answers", version, utcOffset }, remote);
    context.state("running", `hl2ss ${said}`);
    losses.back(`hl2ss ${said} answers again`);
    following.connected();
  }

  function wordsFor(lost: unknown): string {
    const reason = lost instanceof ConnectionLost ? lost.reason : null;
    if (reason === "silent") {
      return `the headset at ${host} takes connections and answers nothing on port ${port}: it is asleep, or another client holds that port`;
    }
    return (
      (reason && hostWords(reason, host, port)) ??
      `port ${port} does not speak the protocol: ${(lost as Error).message}`
    );
  }
}
