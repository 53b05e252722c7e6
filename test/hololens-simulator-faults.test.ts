// Each fault that can be asked for, by what a client sees of it.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import type { PortName } from "../sensors/hololens/simulator/fault-kinds.ts";
import { startSimulator } from "../sensors/hololens/simulator/server.ts";
import { inspectAccessUnit } from "../sensors/hololens/wire/access-unit.ts";
import { poseIsValid } from "../sensors/hololens/wire/pose.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import { encodeCommand, readReply } from "../sensors/hololens/wire/remote-configuration.ts";
import { spatialInput } from "../sensors/hololens/wire/spatial-input.ts";
import {
  clientOf,
  type StreamClient,
  say,
  simulate,
  startCamera,
  stream,
} from "./hololens-simulator.ts";
import { until } from "./rings.ts";

const simulator = await simulate();
const { device } = simulator;
const { clock } = device;

async function one(client: StreamClient) {
  const packet = await client.packet();
  if (!packet) throw new Error("the stream ended");
  return packet;
}

function refused(name: PortName, { ports, host } = simulator): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(ports[name], host);
    socket.on("connect", () => resolve(false));
    socket.on("error", () => resolve(true));
    socket.on("connect", () => socket.destroy());
  });
}

test("delay and jitter: stamps stay, packets come later", async () => {
  const takeBack = simulator.fault({ port: "accelerometer", kind: "delay", value: 200 });
  simulator.fault({ port: "gyroscope", kind: "jitter", value: 60 });
  const [late, shaken] = [stream("accelerometer"), stream("gyroscope")];
  let last = 0n;
  for (let i = 0; i < 4; i++) {
    const { timestamp } = await one(late);
    expect(clock.ticks() - timestamp).toBeGreaterThanOrEqual(2_000_000n);
    if (last > 0n) expect(Number(timestamp - last) % 850_000).toBe(0);
    last = timestamp;
  }
  for (let i = 0; i < 4; i++) {
    const { timestamp } = await one(shaken);
    expect(clock.ticks()).toBeGreaterThan(timestamp);
  }
  takeBack();
  late.close();
  shaken.close();
});

test("a fault of one stream goes before one of all", () => {
  const back = [
    simulator.fault({ port: "all", kind: "delay", value: 1 }),
    simulator.fault({ port: "pv", kind: "delay", value: 2 }),
  ];
  const delays = (["pv", "gyroscope"] as const).map((port) => device.faults.find("delay", port));
  expect(delays).toEqual([2, 1]);
  for (const takeBack of back) takeBack();
  expect(device.faults.find("delay", "pv")).toBeNull();
});

test("cut: the end comes within a packet", async () => {
  const client = stream("gyroscope");
  await one(client);
  simulator.fault({ port: "gyroscope", kind: "cut" });
  const error = await cutShort(client);
  expect(error.kind).toBe("truncated");
  expect(await client.ending).toBe("fin");
  const again = stream("gyroscope");
  await one(again);
  again.close();
});

async function cutShort(client: StreamClient): Promise<ProtocolError> {
  try {
    for (;;) await one(client);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

test("wrong size", async () => {
  simulator.fault({ port: "accelerometer", kind: "wrong-size" });
  const client = stream("accelerometer");
  expect((await cutShort(client)).message).toContain("4294967295 bytes");
  client.close();
});

test("reset", async () => {
  const client = stream("spatial-input");
  await one(client);
  simulator.fault({ port: "spatial-input", kind: "reset" });
  expect(await client.ending).toBe("reset");
});

test("stall: silence, then the newest", async () => {
  const client = stream("spatial-input");
  await one(client);
  const takeBack = simulator.fault({ port: "spatial-input", kind: "stall" });
  const stalledTicks = clock.ticks();
  await until(() => clock.ticks() - stalledTicks > 3_000_000n);
  const backTicks = clock.ticks();
  takeBack();
  let packet = await one(client);
  // Some may have been on their way: what a busy machine was late with is sent at once.
  while (packet.timestamp <= stalledTicks) packet = await one(client);
  expect(packet.timestamp).toBeGreaterThan(backTicks - 400_000n);
  client.close();
});

test("a fault of some seconds ends by itself, one of later begins then", async () => {
  const client = stream("eye-tracker");
  const isLocated = async () => poseIsValid((await one(client)).pose ?? []);
  // From here on there is a packet in each third of its time, however long the machine stands still.
  expect(await isLocated()).toBe(true);
  const setTicks = clock.ticks();
  simulator.fault({ port: "eye-tracker", kind: "not-located", value: 0.2, afterSeconds: 0.2 });
  while (await isLocated());
  expect(clock.ticks() - setTicks).toBeGreaterThan(1_900_000n);
  while (!(await isLocated()));
  client.close();
});

test("not located: zeros as pose, no valid head", async () => {
  const takeBack = simulator.fault({ port: "all", kind: "not-located" });
  const [imu, head] = [stream("gyroscope"), stream("spatial-input")];
  expect([...((await one(imu)).pose ?? [])]).toEqual(Array(16).fill(0));
  expect(spatialInput.parse((await one(head)).payload, "spatial input").valid).toBe(0);
  takeBack();
  imu.close();
  head.close();
});

test("lose: packets are left out, what is sent goes on", async () => {
  const client = stream("eye-tracker");
  const { timestamp } = await one(client);
  simulator.fault({ port: "eye-tracker", kind: "lose", value: 3 });
  let last = timestamp;
  let gap = 0n;
  while (gap < 1_000_000n) {
    const packet = await one(client);
    gap = packet.timestamp - last;
    last = packet.timestamp;
  }
  client.close();
});

test("drop-key-frame: the stream begins with what stands not alone", async () => {
  await startCamera();
  simulator.fault({ port: "pv", kind: "drop-key-frame" });
  const client = stream<"pv">("pv", { width: 424, height: 240, framerate: 15 });
  expect(inspectAccessUnit("h265", (await one(client)).payload).keyFrame).toBe(false);
  client.close();
});

test("damage: as long as it was, with another middle", async () => {
  simulator.fault({ port: "accelerometer", kind: "damage" });
  const client = stream("accelerometer");
  const { payload } = await one(client);
  expect(payload.byteLength).toBe(2976);
  expect(payload[1000]).toBe((1000 * 151) & 0xff);
  client.close();
});

test("refuse: the port is closed, and open again when it is over", async () => {
  const client = stream("magnetometer");
  await one(client);
  const takeBack = simulator.fault({ port: "magnetometer", kind: "refuse" });
  expect(await client.ending).toBe("reset");
  expect(await refused("magnetometer")).toBe(true);
  expect(await refused("gyroscope")).toBe(false);
  takeBack();
  const again = stream("magnetometer");
  await one(again);
  again.close();
});

test("no Research Mode: its ports and its commands", async () => {
  const takeBack = simulator.fault({ port: "all", kind: "no-research-mode" });
  expect(await refused("vlc-leftfront")).toBe(true);
  expect(await refused("magnetometer")).toBe(true);
  expect(await refused("pv")).toBe(false);
  expect(await say("remote-configuration", Uint8Array.of(0x17))).toBe("fin");
  takeBack();
  expect(await refused("vlc-leftfront")).toBe(false);
});

test("busy: the present client stays, new ones wait", async () => {
  const first = stream("accelerometer");
  await one(first);
  const takeBack = simulator.fault({ port: "accelerometer", kind: "busy" });
  await one(first);
  first.close();
  const second = stream("accelerometer");
  await second.connected;
  const before = simulator.connections("accelerometer").served;
  await until(() => simulator.connections("accelerometer").isServing);
  expect(simulator.connections("accelerometer").served).toBe(before);
  takeBack();
  await one(second);
  second.close();
});

test("sleep: nothing answers, streams included; awake again all go on", async () => {
  const client = stream("spatial-input");
  const remote = clientOf("remote-configuration");
  await one(client);
  const takeBack = simulator.fault({ port: "all", kind: "sleep" });
  remote.send(encodeCommand("applicationVersion", {}));
  let answered = false;
  const answer = remote.read(readReply("applicationVersion", {})).then((version) => {
    answered = true;
    return version;
  });
  const sleepTicks = clock.ticks();
  await until(() => clock.ticks() - sleepTicks > 3_000_000n);
  expect(answered).toBe(false);
  takeBack();
  expect(await answer).toEqual([1, 0, 37, 0]);
  await one(client);
  client.close();
  remote.close();
});

test("version: an older app does not know the clock", async () => {
  const takeBack = simulator.fault({ port: "all", kind: "version", value: "1.0.35" });
  const remote = clientOf("remote-configuration");
  remote.send(encodeCommand("applicationVersion", {}), encodeCommand("currentTime", { source: 0 }));
  expect(await remote.read(readReply("applicationVersion", {}))).toEqual([1, 0, 35, 0]);
  expect((await remote.rest()).byteLength).toBe(0);
  takeBack();
  const again = clientOf("remote-configuration");
  again.send(encodeCommand("currentTime", { source: 0 }));
  expect(await again.read(readReply("currentTime", { source: 0 }))).not.toBeNull();
  again.close();
});

test("a slow answer: half of it each way", async () => {
  const takeBack = simulator.fault({ port: "remote-configuration", kind: "delay", value: 100 });
  const remote = clientOf("remote-configuration");
  const askedTicks = clock.ticks();
  remote.send(encodeCommand("currentTime", { source: 0 }));
  const ticks = (await remote.read(readReply("currentTime", { source: 0 }))) as bigint;
  expect(ticks - askedTicks).toBeGreaterThanOrEqual(490_000n);
  expect(clock.ticks() - ticks).toBeGreaterThanOrEqual(490_000n);
  takeBack();
  remote.close();
});

test("exclusive depth: the second of the two is refused", async () => {
  const takeBack = simulator.fault({ port: "all", kind: "exclusive-depth" });
  const longthrow = stream("depth-longthrow");
  await one(longthrow);
  expect(await stream("depth-ahat").ending).toBe("fin");
  takeBack();
  longthrow.close();
});

test("reboot: away, then a clock that began anew, and all that was set is lost", async () => {
  const client = stream("accelerometer");
  const { timestamp } = await one(client);
  await startCamera();
  simulator.fault({ port: "all", kind: "reboot", value: 0.3 });
  // Tried at once: who is not given the processor for so long comes when it is back.
  const isAway = refused("remote-configuration");
  expect(await client.ending).toBe("reset");
  expect(await isAway).toBe(true);
  await until(async () => !(await refused("accelerometer")));
  expect(device.subsystems.pv.on).toBe(false);
  const again = stream("accelerometer");
  expect((await one(again)).timestamp).toBeLessThan(timestamp);
  again.close();
});

test("faults of the start are there before the first client", async () => {
  const other = await startSimulator({
    ports: 28_050,
    streams: ["gyroscope", "pv"],
    faults: [{ port: "gyroscope", kind: "refuse" }],
  });
  expect(await refused("gyroscope", other)).toBe(true);
  expect(await refused("pv", other)).toBe(false);
  await other.close();
});
