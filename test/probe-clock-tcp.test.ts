// A real process with a clock of its own, real sockets, real time.
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Bursts, createBursts } from "../src/clock/bursts.ts";
import { createProbeClock, type ProbeClock, type TickProbe } from "../src/clock/probe-clock.ts";
import type { Probe } from "../src/clock/probe-filter.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { type DriftingClock, readClock } from "./fixtures/drifting-clock.ts";
import { until } from "./rings.ts";

const fixture = join(import.meta.dir, "fixtures/clock-server.ts");
const question = new Uint8Array([0x18, 0, 0, 0, 0]);
const reboot = new Uint8Array([0xff]);

interface Device {
  process: Subprocess<"ignore", "pipe", "inherit">;
  /** What it says next: where it listens and what its clock is now. */
  said(): Promise<DriftingClock & { port: number }>;
}

function startDevice(): Device {
  const process = Bun.spawn([globalThis.process.execPath, fixture], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(process.stdout);
  return {
    process,
    async said() {
      const { port, beganNs, startTicks, slowPpm } = JSON.parse(
        (await lines.next()).value as string,
      );
      return { port, beganNs: BigInt(beganNs), startTicks: BigInt(startTicks), slowPpm };
    },
  };
}

async function* linesOf(output: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = "";
  for await (const bytes of output) {
    text += new TextDecoder().decode(bytes);
    const lines = text.split("\n");
    text = lines.pop() as string;
    yield* lines;
  }
}

/** One question at a time over one connection. */
async function connect(port: number) {
  let pending = Buffer.alloc(0);
  let answered = (_ticks: bigint, _t3Ns: bigint) => {};
  let lost = (_error: Error) => {};
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, bytes) {
        const t3Ns = monotonicNs();
        pending = Buffer.concat([pending, bytes]);
        if (pending.length < 8) return;
        const ticks = pending.readBigUInt64LE();
        pending = pending.subarray(8);
        answered(ticks, t3Ns);
      },
      close: () => lost(new Error("the device has closed the connection")),
    },
  });
  socket.setNoDelay(true);
  const probe = () =>
    new Promise<TickProbe>((resolve, reject) => {
      const t0Ns = monotonicNs();
      answered = (deviceTicks, t3Ns) => resolve({ t0Ns, deviceTicks, t3Ns });
      lost = reject;
      if (socket.write(question) !== question.length) reject(new Error("the connection is closed"));
    });
  return { socket, probe };
}

/** Times of a made-up stream of this device, against what is true. */
function expectRight(clock: ProbeClock, device: DriftingClock, epoch: number): void {
  const stream = clock.stream();
  for (let i = 0; i < 20; i++) {
    const captureNs = monotonicNs();
    const ticks = readClock(device, captureNs);
    const { captureTimeNs, timeErrorNs, clockEpoch } = stream.map(ticks, monotonicNs());
    expect(clockEpoch).toBe(epoch);
    const error = (captureTimeNs as bigint) - captureNs;
    expect(error < 0n ? -error : error).toBeLessThanOrEqual(timeErrorNs as bigint);
  }
}

// To see it fail: let `probe` give the time of the answer as t0 too: a bound that is no fact.
test("a device on the network: right within the bound, also after a reboot, and its end is told", async () => {
  const device = startDevice();
  const over = new AbortController();
  try {
    const first = await device.said();
    const { socket, probe } = await connect(first.port);
    const clock = createProbeClock({ ticksPerSecond: 10_000_000, doubt: () => bursts.soon() });
    const failures: unknown[] = [];
    const bursts: Bursts = createBursts({
      clock,
      probe,
      signal: over.signal,
      failed: (error) => failures.push(error),
      periodMs: 100,
      gapMs: 5,
    });
    const run = bursts.run();

    await until(() => clock.state().probes >= 40);
    expectRight(clock, first, 0);
    const { method, errorNs } = clock.state();
    expect(method).toBe("probe");
    const newest = clock.probes.find(({ t0Ns }) => t0Ns === clock.probedNs) as Probe;
    expect(Number(errorNs)).toBeLessThanOrEqual(Number(newest.t3Ns - newest.t0Ns) / 2 + 100);

    socket.write(reboot);
    const second = await device.said();
    await until(() => clock.state().epoch === 1 && clock.state().probes >= 20);
    expectRight(clock, second, 1);

    device.process.kill("SIGKILL");
    await until(() => failures.length > 0);
    over.abort();
    await run;
  } finally {
    over.abort();
    device.process.kill("SIGKILL");
    await device.process.exited;
  }
});
