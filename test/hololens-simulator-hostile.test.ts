// Clients that mean harm: mutated and truncated messages, thousands of connections, half-open ones, and
// those that say nothing. Afterwards a good client is served on every port, with no descriptor left over.
//
// To see it fail: in session.ts leave out the `catch`, or the limit; in port.ts leave out `mostWaiting`.
import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { PortName } from "../sensors/hololens/simulator/fault-kinds.ts";
import { streamOfPort } from "../sensors/hololens/wire/ports.ts";
import { encodeCommand, readReply } from "../sensors/hololens/wire/remote-configuration.ts";
import { encodeStop } from "../sensors/hololens/wire/subsystem.ts";
import { clientOf, say, simulate, stream } from "./hololens-simulator.ts";
import { bytesOf, random, type Vector, vectorsOf } from "./hololens-wire-vectors.ts";
import { until } from "./rings.ts";

const messages = vectorsOf("requests").filter(({ direction }) => direction === "client->server");

function portIn({ port }: Vector): PortName {
  return streamOfPort(port ?? 0) ?? "remote-configuration";
}

/** The libraries behind the cameras open files of their own; sockets are the simulator's and ours. */
function openSockets(): number {
  const folder = "/proc/self/fd";
  const links = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`);
    } catch {
      return ""; // the one that the list itself was read by
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

const socketsBefore = openSockets();
const simulator = await simulate({ configurationLimitMs: 2000 });

/** Sends and is gone, by a reset or an end as it happens. */
async function hit(name: PortName, bytes: Uint8Array, leave: "end" | "reset"): Promise<void> {
  const socket = connect(simulator.ports[name], simulator.host);
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("error", () => resolve());
  socket.on("close", () => resolve());
  socket.on("connect", () => {
    socket.write(bytes, () => (leave === "end" ? socket.destroy() : socket.resetAndDestroy()));
  });
  await promise;
}

async function isServed(): Promise<void> {
  for (const name of ["accelerometer", "spatial-input", "eye-tracker", "microphone"] as const) {
    const client = stream(name);
    expect(await client.packet()).not.toBeNull();
    client.close();
  }
  const remote = clientOf("remote-configuration");
  remote.send(encodeCommand("applicationVersion", {}));
  expect(await remote.read(readReply("applicationVersion", {}))).toEqual([1, 0, 37, 0]);
  remote.close();
}

/** One byte changed, a piece left out, or noise at the end. */
function mutated(bytes: Uint8Array, next: () => number): Uint8Array {
  const copy = [...bytes];
  const at = Math.floor(next() * (copy.length + 1));
  const byte = Math.floor(next() * 256);
  const way = next();
  if (way < 0.6) copy[at] = byte;
  else if (way < 0.8) copy.splice(at, 1 + Math.floor(next() * 4));
  else
    copy.push(...Array.from({ length: Math.floor(next() * 40) }, () => Math.floor(next() * 256)));
  return Uint8Array.from(copy);
}

/** Those that start no encoder: what they cost is the session alone. */
const cheap = messages.filter(({ name }) => /^(rc|control)|imu|spatial|eye_tracker/.test(name));

test("20,000 mutated messages, many on each connection of remote configuration", async () => {
  const next = random(4);
  let sent = 0;
  while (sent < 20_000) {
    const hits = Array.from({ length: 60 }, () => {
      const one = cheap[Math.floor(next() * cheap.length)] as Vector;
      const count = portIn(one) === "remote-configuration" ? 40 : 1;
      const parts = Array.from({ length: count }, () => mutated(bytesOf(one), next));
      sent += count;
      const leave = next() < 0.5 ? "end" : "reset";
      return hit(portIn(one), Buffer.concat(parts), leave);
    });
    await Promise.all(hits);
  }
  await isServed();
});

test("every message, truncated at every byte", async () => {
  for (const one of messages) {
    const bytes = bytesOf(one);
    const cuts = Array.from({ length: bytes.byteLength }, (_, cut) => bytes.subarray(0, cut));
    await Promise.all(cuts.map((cut) => say(portIn(one), cut)));
  }
  await isServed();
});

test("mutated configurations of the cameras", async () => {
  const next = random(5);
  await say("pv", encodeStop());
  const costly = messages.filter(({ name }) => /^config\/(rm_vlc|rm_depth|pv|extended)/.test(name));
  for (let i = 0; i < 200; i++) {
    const one = costly[i % costly.length] as Vector;
    await hit(portIn(one), mutated(bytesOf(one), next), i % 2 === 0 ? "end" : "reset");
  }
  await isServed();
});

test("thousands of connections: a hundred wait, the rest is turned away", async () => {
  const sockets: Socket[] = [];
  for (let i = 0; i < 2000; i++) {
    const socket = connect(simulator.ports.gyroscope, simulator.host);
    socket.on("error", () => {});
    sockets.push(socket);
  }
  await until(() => simulator.connections("gyroscope").waiting === 100);
  for (const socket of sockets) socket.destroy();
  await until(() => simulator.connections("gyroscope").waiting === 0);
  const client = stream("gyroscope");
  expect(await client.packet()).not.toBeNull();
  client.close();
});

test("one that says nothing holds its port for so long, and no other", async () => {
  const silent = clientOf("magnetometer");
  const half = clientOf("eye-tracker");
  await silent.connected;
  half.finish();
  expect(await half.ending).toBe("fin");
  await isServed();
  expect(await silent.ending).toBe("fin");
  silent.close();
  half.close();
  const client = stream("magnetometer");
  expect(await client.packet()).not.toBeNull();
  client.close();
}, 120_000);

test("a huge message in small pieces is read no further than it counts", async () => {
  const remote = clientOf("remote-configuration");
  // As many points as may be, of which few come.
  remote.send(Uint8Array.of(0x16, 0xd8, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0), new Uint8Array(1000));
  remote.finish();
  expect((await remote.rest()).byteLength).toBe(0);
  remote.close();
  await isServed();
});

test("no socket is left over", async () => {
  await simulator.close();
  await until(() => openSockets() === socketsBefore);
});
