/**
 * What the user is told when the headset or one of its ports is lost, each cause with a sentence of its
 * own, and that everything recovers in the same process when the cause is gone.
 *
 * To see them fail: take `answers` for what the device part says in `follow` of client/stream-part.ts.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { type Loss, lossWords } from "../sensors/hololens/client/loss-words.ts";
import { ConnectionLost } from "../sensors/hololens/client/lost.ts";
import type { PortName } from "../sensors/hololens/simulator/fault-kinds.ts";
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../sensors/hololens/simulator/server.ts";
import { encodePacket } from "../sensors/hololens/wire/packet.ts";
import type { StreamName } from "../sensors/hololens/wire/ports.ts";
import { notLocated } from "../sensors/hololens/wire/pose.ts";
import { openReader } from "../src/ring.ts";
import { type Part, quickLosses, TestHeadset, useOwnCache } from "./hololens-client.ts";
import { until } from "./rings.ts";

useOwnCache();
const ports = 20_000;
let headset: TestHeadset;
let simulator: Simulator | null = null;
const servers: Server[] = [];

afterEach(async () => {
  await headset.close();
  for (const server of servers.splice(0)) server.close();
  await simulator?.close();
  simulator = null;
});

async function simulate(streams: StreamName[], options: SimulatorOptions = {}) {
  const served: PortName[] = [...streams, "remote-configuration"];
  simulator = await startSimulator({ ports, streams: served, ...options });
  return simulator;
}

interface Connecting {
  keys?: object;
  timers?: Partial<typeof quickLosses>;
}

function connect(streams: StreamName[], { keys = {}, timers = {} }: Connecting = {}) {
  headset = new TestHeadset("losses", { ports, streams, ...keys });
  const device = headset.device(timers.device);
  const parts = streams.map((stream) => headset.stream(stream, timers.stream));
  return { device, parts: parts as [Part, ...Part[]] };
}

const newest = (part: Part) => part.states.at(-1);
const running = (part: Part) => until(() => newest(part)?.state === "running");
/** The words of the newest state, once they are these. */
async function says(part: Part, words: string | RegExp): Promise<void> {
  const fits = (said: string) =>
    typeof words === "string" ? said.includes(words) : words.test(said);
  try {
    await until(() => fits(newest(part)?.words ?? ""));
  } catch (error) {
    throw new Error(`not said: ${words}; but: ${JSON.stringify(part.states)}`, { cause: error });
  }
  expect(part.log.some(fits)).toBe(true);
}

describe("the whole headset", () => {
  test("the app is not running, and then it is", async () => {
    const { device, parts } = connect(["accelerometer"]);
    await says(device, "runs no hl2ss app");
    await says(parts[0], /runs no hl2ss app: start it there \(nothing listens on port 23809\)/);
    const complaints = ({ log }: Part) => log.filter((line) => line.includes("runs no hl2ss app"));
    await until(() => device.states.length >= 3 && parts[0].states.length >= 3);
    expect([complaints(device), complaints(parts[0])].map(({ length }) => length)).toEqual([1, 1]);
    await simulate(["accelerometer"]);
    await running(parts[0]);
    await running(device);
    expect(parts[0].log.at(-1)).toBe("packets come again");
    expect(device.log.at(-1)).toBe("hl2ss 1.0.37.0 answers again");
  });

  test("no such host", async () => {
    const { device, parts } = connect(["accelerometer"], {
      keys: { host: "no-such-headset.invalid" },
    });
    const words = 'there is no host "no-such-headset.invalid"';
    await says(device, words);
    await says(parts[0], words);
  });

  test("asleep: it takes connections and answers nothing; it wakes up", async () => {
    const { fault } = await simulate(["accelerometer"]);
    const { device, parts } = connect(["accelerometer"], { timers: quickLosses });
    await running(parts[0]);
    const wake = fault({ port: "all", kind: "sleep" });
    await says(device, "is asleep");
    await says(parts[0], "is asleep");
    wake();
    await running(parts[0]);
    await running(device);
  });

  test("started anew: another epoch of its clock, and the calibration is asked for again", async () => {
    const { reboot, connections } = await simulate(["accelerometer"]);
    const { device, parts } = connect(["accelerometer"]);
    await until(() => device.clocks.at(-1)?.epoch === 0);
    await running(parts[0]);
    const before = parts[0].calibrations.get("hl.accelerometer");
    parts[0].calibrations.clear();
    await reboot(0.1);
    await until(() => device.clocks.at(-1)?.epoch === 1);
    await running(parts[0]);
    const again = await until(() => parts[0].calibrations.get("hl.accelerometer") ?? null);
    expect(again?.document).toEqual(before?.document as Record<string, unknown>);
    expect(connections("accelerometer").served).toBeGreaterThan(2);
  });
});

describe("one port", () => {
  test("Research Mode off", async () => {
    const { fault } = await simulate(["accelerometer"]);
    const on = fault({ port: "all", kind: "no-research-mode" });
    const { parts } = connect(["accelerometer"]);
    await says(parts[0], "Research Mode is off");
    on();
    await running(parts[0]);
  });

  test("permission denied", async () => {
    const { fault } = await simulate(["eye-tracker"]);
    const allow = fault({ port: "eye-tracker", kind: "refuse" });
    const { parts } = connect(["eye-tracker"]);
    await says(parts[0], "permission denied");
    await says(parts[0], "Allow hl2ss the eye tracker");
    allow();
    await running(parts[0]);
  });

  test("another client holds it", async () => {
    const { fault } = await simulate(["eye-tracker"]);
    const free = fault({ port: "eye-tracker", kind: "busy" });
    const { stream } = quickLosses;
    const { parts } = connect(["eye-tracker"], { timers: { stream } });
    await says(parts[0], "it is busy, another client holds it, or a permission is being asked for");
    free();
    await running(parts[0]);
  });

  test("it stalls while the app runs", async () => {
    const { fault } = await simulate(["eye-tracker"]);
    const { stream } = quickLosses;
    const { parts } = connect(["eye-tracker"], { timers: { stream } });
    await running(parts[0]);
    const go = fault({ port: "eye-tracker", kind: "stall" });
    await says(parts[0], "nothing more comes from port 23817, though the app runs");
    go();
    await running(parts[0]);
  });

  test("cut in the middle of a packet, reset, a size that cannot be", async () => {
    const { fault } = await simulate(["eye-tracker"]);
    const { parts } = connect(["eye-tracker"]);
    await running(parts[0]);
    fault({ port: "eye-tracker", kind: "cut" });
    await until(() => parts[0].log.some((line) => /ended inside a message|was cut/.test(line)));
    await running(parts[0]);
    fault({ port: "eye-tracker", kind: "reset" });
    await until(() => parts[0].log.some((line) => line.includes("has ended the stream")));
    await running(parts[0]);
    fault({ port: "eye-tracker", kind: "wrong-size" });
    const words = "does not speak the protocol: eye-tracker: a payload of 4294967295 bytes";
    await until(() => parts[0].log.some((line) => line.includes(words)));
    await running(parts[0]);
  });
});

describe("with a server of our own", () => {
  function listen(port: number, serve: (socket: Socket, count: number) => void): Promise<void> {
    let count = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.resume(); // else its end is never seen
      serve(socket, count++);
    });
    servers.push(server);
    return new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  }

  test("refused: closed before the first packet", async () => {
    await simulate([]);
    await listen(ports + 3817, (socket) => socket.end());
    const { parts } = connect(["eye-tracker"]);
    await says(
      parts[0],
      "refused what was asked for: the eye tracker could not be opened at this rate",
    );
  });

  test("both depth cameras: a warning in the words of the one that is refused", async () => {
    await simulate([]);
    await listen(ports + 3805, (socket) => socket.destroy());
    const { parts } = connect(["depth-longthrow", "depth-ahat"]);
    await says(parts[0], "AHAT and long throw are both configured");
  });

  test("50 reconnects in one process: the ring goes on, no socket is left behind", async () => {
    await simulate([]);
    let open = 0;
    let count = 0;
    await listen(ports + 3817, (socket) => {
      count += 1;
      open += 1;
      socket.on("close", () => {
        open -= 1;
      });
      const pose = notLocated;
      const packet = encodePacket({ timestamp: BigInt(count), payload: new Uint8Array(92), pose });
      socket.end(packet);
    });
    headset = new TestHeadset("losses", { ports, streams: ["eye-tracker"] });
    headset.device();
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const part = headset.stream("eye-tracker", { leastRetryMs: 1 });
    await until(() => count >= 5);
    const before = descriptors();
    await until(() => count >= 55);
    // Some are open at any moment: more now, fewer the next.
    await until(() => descriptors() < before + 5);
    const reader = await openReader("hl.eye-tracker", { prefix: headset.rings.prefix });
    expect(reader.latest()?.seq).toBeGreaterThan(20n);
    reader.close();
    await part.stop();
    await until(() => open === 0);
  });
});

describe("sentences that this machine's network cannot show", () => {
  const loss: Loss = {
    error: null,
    phase: "asked",
    family: "pv",
    host: "hl",
    port: 3810,
    devicePort: 3809,
    reach: "answers",
    bothDepths: false,
  };
  const cases: [string, Partial<Loss>, string][] = [
    [
      "this computer's network or the headset's Wi-Fi is gone",
      { error: new ConnectionLost("unreachable", { code: "EHOSTUNREACH" }), reach: "unreachable" },
      "there is no way to hl: the headset is off, or its Wi-Fi or this computer's network is gone (EHOSTUNREACH)",
    ],
    [
      "switched off",
      { error: new ConnectionLost("no-answer"), phase: "connecting", reach: "no-answer" },
      "hl does not answer: the headset is off, or not in this network",
    ],
    [
      "Wi-Fi gone while streaming",
      { error: new ConnectionLost("silent"), phase: "streaming", reach: "no-answer" },
      "hl does not answer: the headset is off, or not in this network",
    ],
    [
      "a size that the camera does not have",
      { error: new ConnectionLost("closed") },
      "port 3810 refused what was asked for: the camera does not offer this width, height and framerate",
    ],
    [
      "no such camera",
      { error: new ConnectionLost("reset"), family: "extended-video", port: 3819 },
      "port 3819 refused what was asked for: there is no such group, source and cameraProfile",
    ],
  ];
  test.each(cases)("%s", (_, given, words) => {
    expect(lossWords({ ...loss, ...given })).toStartWith(words);
  });
});
