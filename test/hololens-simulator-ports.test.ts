// One client a port, sources that are started and stopped, and how a connection ends.
//
// To see it fail: in port.ts serve each client at once; in connection.ts `end` without the reset; in
// subsystems.ts leave out the `stop` before a start.
import { expect, test } from "bun:test";
import { encodeTransferRequest } from "../sensors/hololens/wire/configuration.ts";
import { joined } from "../sensors/hololens/wire/record.ts";
import { encodeCommand, readReply } from "../sensors/hololens/wire/remote-configuration.ts";
import { encodeStart, encodeStop, startBit } from "../sensors/hololens/wire/subsystem.ts";
import { clientOf, say, simulate, startCamera, stream } from "./hololens-simulator.ts";
import { until } from "./rings.ts";

const simulator = await simulate();
const { device } = simulator;

test("a second client is connected, waits, and is served when the first has gone", async () => {
  const first = stream("accelerometer");
  expect(await first.packet()).not.toBeNull();
  const second = stream("accelerometer");
  const third = stream("accelerometer");
  await Promise.all([second.connected, third.connected]);
  await until(() => simulator.connections("accelerometer").waiting === 2);
  let secondServed = false;
  const packet = second.packet().then((one) => {
    secondServed = true;
    return one;
  });
  await first.packet();
  expect(secondServed).toBe(false);
  first.close();
  expect(await packet).not.toBeNull();
  expect(simulator.connections("accelerometer").waiting).toBe(1);
  second.close();
  expect(await third.packet()).not.toBeNull();
  third.close();
});

test("ports do not wait for each other", async () => {
  const silent = clientOf("gyroscope");
  await silent.connected;
  const other = stream("magnetometer");
  expect(await other.packet()).not.toBeNull();
  other.close();
  silent.close();
});

test("what comes after the configuration, a half-close too, is not looked at", async () => {
  const client = stream("spatial-input");
  expect(await client.packet()).not.toBeNull();
  client.send(new Uint8Array(10_000).fill(255));
  client.finish();
  for (let i = 0; i < 10; i++) expect(await client.packet()).not.toBeNull();
  client.close();
});

test("start and stream, right after each other on two connections", async () => {
  const start = clientOf("pv");
  start.send(encodeStart().subarray(0, 1));
  const streaming = stream<"pv">("pv", { width: 424, height: 240, framerate: 15 });
  start.send(encodeStart().subarray(1));
  expect(await start.ending).toBe("fin");
  expect((await streaming.packet())?.pose?.[15]).toBe(1);
  streaming.close();
  await until(() => !simulator.connections("pv").isServing);
  expect(device.subsystems.pv.on).toBe(true);
  expect(await say("pv", encodeStop())).toBe("fin");
  expect(device.subsystems.pv.on).toBe(false);
});

test("commands of clients that are gone when their turn comes are obeyed all the same", async () => {
  const takeBack = simulator.fault({ port: "pv", kind: "busy" });
  const { served } = simulator.connections("pv");
  for (const command of [encodeStart(), encodeStop(), encodeStart({ shared: 1 })]) {
    const client = clientOf("pv");
    await client.connected;
    client.send(command);
    await client.finish();
    client.close();
  }
  await until(() => simulator.connections("pv").waiting === 2);
  expect(device.subsystems.pv.on).toBe(false);
  takeBack();
  await until(() => simulator.connections("pv").served === served + 3);
  await until(() => !simulator.connections("pv").isServing);
  expect(device.subsystems.pv.start?.shared).toBe(1);
  await say("pv", encodeStop());
});

test("a source that is off: the end, right after the mode byte", async () => {
  for (const name of ["pv", "extended-video", "extended-depth"] as const) {
    await say(name, encodeStop());
    expect(await say(name, Uint8Array.of(0))).toBe("fin");
    // The rest of the message is never read.
    const client = stream(name);
    expect(await client.ending).toBe("reset");
  }
});

test("refused when all is read: the end; with bytes left: a reset", async () => {
  expect(await say("eye-tracker", Uint8Array.of(31))).toBe("fin");
  expect(await say("eye-tracker", Uint8Array.of(31, 0))).toBe("reset");
  expect(await say("microphone", Uint8Array.of(7, 0x29))).toBe("fin");
});

test("a start while it is on loses the settings, a stop too; settings need it on and not shared", async () => {
  const remote = clientOf("remote-configuration");
  const focus = async (value: number) => {
    remote.send(
      encodeCommand("pvFocus", { mode: 3, range: 0, distance: 0, value, driverFallback: 0 }),
      encodeCommand("pvStatus", {}),
    );
    await remote.read(readReply("pvStatus", {}));
    return device.camera.focus;
  };
  await say("pv", encodeStop());
  const automatic = device.camera.focus;
  expect(await focus(500)).toBe(automatic);
  await startCamera();
  expect(await focus(500)).toBe(500);
  await startCamera();
  expect(device.camera.focus).toBe(automatic);
  expect(await focus(600)).toBe(600);
  await say("pv", encodeStart({ shared: 1 }));
  expect(await focus(700)).toBe(automatic);
  await say("pv", encodeStop());
  expect(device.camera.focus).toBe(automatic);
  remote.close();
});

test("a start of a camera that is not there stays without effect", async () => {
  for (const opacity of [9, -1, Number.NaN]) {
    expect(await say("extended-video", encodeStart({ globalOpacity: opacity }))).toBe("fin");
    expect(device.subsystems["extended-video"].on).toBe(false);
  }
  expect(await say("extended-video", encodeStart({ globalOpacity: 0 }))).toBe("fin");
  expect(device.subsystems["extended-video"].on).toBe(true);
});

test("only the formats of the camera, all of them where it is shared", async () => {
  await startCamera();
  const odd = { width: 1000, height: 500, framerate: 30 };
  expect(await say("pv", encodeTransferRequest("pv", odd))).toBe("fin");
  expect(await stream<"pv">("pv", odd).packet()).toBeNull();
  await say("pv", encodeStart({ shared: 1 }));
  const client = clientOf("pv");
  client.send(encodeTransferRequest("pv", odd));
  expect((await client.rest()).byteLength).toBe(208);
  await say("pv", encodeStop());
});

test("start, request and stop in one message", async () => {
  const [, ...start] = encodeStart();
  const [, ...format] = encodeTransferRequest("pv", { width: 1280, height: 720, framerate: 30 });
  const client = clientOf("pv");
  client.send(Uint8Array.of(2 | startBit | 0x08, ...start, ...format));
  expect((await client.rest()).byteLength).toBe(208);
  await until(() => !simulator.connections("pv").isServing);
  expect(device.subsystems.pv.on).toBe(false);
});

test("single transfers of nothing", async () => {
  for (const name of ["magnetometer", "extended-depth"] as const) {
    const client = clientOf(name);
    client.send(Uint8Array.of(2));
    expect((await client.rest()).byteLength).toBe(0);
    expect(await client.ending).toBe("fin");
  }
});

test("any mode 3 is nothing", async () => {
  for (const name of ["vlc-leftfront", "depth-ahat", "accelerometer", "pv"] as const) {
    expect(await say(name, Uint8Array.of(3))).toBe("fin");
  }
});

test("commands in their order, however they are cut; one that is unknown ends it", async () => {
  const remote = clientOf("remote-configuration");
  const times = { source: 0 };
  const commands = joined(
    encodeCommand("applicationVersion", {}),
    encodeCommand("marker", { state: 1 }),
    encodeCommand("currentTime", times),
    encodeCommand("utcOffset", {}),
    Uint8Array.of(0x1a),
  );
  for (const byte of commands) remote.send(Uint8Array.of(byte));
  expect(await remote.read(readReply("applicationVersion", {}))).toEqual([1, 0, 37, 0]);
  expect(await remote.read(readReply("currentTime", times))).toBeLessThanOrEqual(
    device.clock.ticks(),
  );
  expect(await remote.read(readReply("utcOffset", {}))).toBe(device.utcOffset);
  expect(await remote.ending).toBe("fin");
  expect(device.settings.get("marker")).toEqual({ state: 1 });
});

test("a wrong selector, or a list that is too long, ends it", async () => {
  const wrong = [
    [0x18, 2, 0, 0, 0],
    [0x16, 0xde, 0x0e, 0, 0],
    [0x16, 0xd8, 0x0e, 0, 0, 2, 0, 0, 0],
    [0x16, 0xd8, 0x0e, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0],
    [0x17, 1, 0x10, 0, 0],
  ];
  for (const bytes of wrong) {
    expect(await say("remote-configuration", Uint8Array.from(bytes))).toBe("fin");
  }
});

test("a value out of its range is ignored, and the connection goes on", async () => {
  await startCamera();
  const remote = clientOf("remote-configuration");
  const before = { ...device.camera };
  remote.send(Uint8Array.of(0x07, 91, 0, 0, 0), encodeCommand("pvStatus", {}));
  expect(await remote.read(readReply("pvStatus", {}))).toBe(1);
  expect(device.camera).toEqual(before);
  remote.close();
});
