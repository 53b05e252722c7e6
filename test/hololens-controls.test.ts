/**
 * Settings of a headset: checked, sent, remembered, and sent again when the camera forgot them.
 *
 * To see them fail: do not tell that the camera was started (`pvStarted` in client/stream-part.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { HololensConfig } from "../sensors/hololens/config.ts";
import { type Simulator, startSimulator } from "../sensors/hololens/simulator/server.ts";
import { commands } from "../sensors/hololens/wire/remote-commands.ts";
import { ControlError, type Controls } from "../sensors/sensor.ts";
import { type Part, TestHeadset, useOwnCache } from "./hololens-client.ts";
import { until } from "./rings.ts";

useOwnCache();
const ports = 20_300;
let simulator: Simulator;
let headset: TestHeadset;
let device: Part;
let controls: Controls;

beforeAll(async () => {
  simulator = await startSimulator({ ports, streams: ["pv", "remote-configuration"] });
  const pv = { width: 424, height: 240, framerate: 15 } as HololensConfig["pv"];
  headset = new TestHeadset("controls", { ports, streams: ["pv"], pv });
  device = headset.device({}); // a busy machine may take its time to answer
  controls = await until(() => device.controls);
  await until(() => device.states.at(-1)?.state === "running");
});

afterAll(async () => {
  await headset.close();
  await simulator.close();
});

async function refusal(values: unknown): Promise<ControlError> {
  const error = await controls.set(values).catch((error) => error);
  expect(error).toBeInstanceOf(ControlError);
  return error;
}

const setting = (name: keyof typeof commands) => simulator.device.settings.get(name);

describe("what can be set", () => {
  test("the schema names every command that sets something, and what can only be read", () => {
    const { properties } = controls.schema as { properties: Record<string, { readOnly?: true }> };
    const names = Object.entries(properties);
    const asked = names.filter(([, { readOnly }]) => !readOnly).map(([name]) => name);
    const sets = Object.entries(commands).filter(([, { reply }]) => reply === null);
    expect(asked.toSorted()).toEqual(sets.map(([name]) => name).toSorted());
    const read = names.filter(([, { readOnly }]) => readOnly).map(([name]) => name);
    const answers = ["host", "address", "applicationVersion", "utcOffset", "deviceTime"];
    expect(read).toEqual([...answers, "pvStatus", "setLast"]);
    expect(String(controls.schema.description)).toContain("neither zoom nor");
  });

  test("what the headset says itself", async () => {
    const values = await controls.get();
    expect(values).toMatchObject({
      host: "127.0.0.1",
      address: "127.0.0.1",
      applicationVersion: "1.0.37.0",
      utcOffset: String(simulator.device.utcOffset),
      pvStatus: "off",
      setLast: [],
    });
    expect(BigInt(values.deviceTime as string)).toBeGreaterThan(36_000_000_000n);
  });

  test("names become numbers, what is left out has a default, ports are keys", async () => {
    const state = await controls.set({
      eyeSelection: { enable: "on" },
      marker: { state: "on" },
      spatialInputDelay: { delay: -5 },
      vlcLoop: { "vlc-leftfront": { enable: "off" }, "vlc-rightfront": { enable: "on" } },
      interfacePriority: { pv: { priority: -2 } },
    });
    expect(setting("eyeSelection")).toEqual({ enable: 1 });
    expect(setting("spatialInputDelay")).toEqual({ delay: -5n });
    expect(setting("vlcLoop")).toEqual({ port: 3802, enable: 1 });
    expect(setting("interfacePriority")).toEqual({ port: 3810, priority: -2 });
    expect(state.setLast).toEqual(
      expect.arrayContaining(["eyeSelection", "marker", "vlcLoop", "interfacePriority"]),
    );
    const more = await controls.set({ vlcLoop: { "vlc-leftfront": { enable: "on" } } });
    expect(more.vlcLoop).toEqual({
      "vlc-leftfront": { enable: "on" },
      "vlc-rightfront": { enable: "on" },
    });
  });

  const refused: [string, unknown, string][] = [
    [
      "a name",
      { pvFocus: { mode: "manul" } },
      "pvFocus.mode: allowed: auto, single, continuous, manual",
    ],
    [
      "a range",
      { pvExposure: { mode: "manual", value: 99 } },
      "pvExposure.value: allowed: a whole number from 100 to 66000",
    ],
    [
      "a key",
      { pvFocus: { mode: "auto", zoom: 2 } },
      "pvFocus.zoom: is not a known key; allowed here: mode, range, distance, value, driverFallback",
    ],
    ["what is not offered", { zoom: 2 }, "zoom: is not a known key"],
    ["what can only be read", { host: "b" }, "host: can only be read"],
    [
      "a port",
      { vlcLoop: { pv: { enable: "on" } } },
      "vlcLoop.pv: is not a known key; allowed here: vlc-leftfront",
    ],
    ["no object", 3, "the whole: allowed: "],
  ];
  test.each(refused)("refused: %s", async (_, values, words) => {
    const before = new Map(simulator.device.settings);
    const { message, reason } = await refusal(values);
    expect(message).toStartWith(words);
    expect(reason).toBe("not-allowed");
    expect(simulator.device.settings).toEqual(before);
  });
});

test("the camera forgets when it is started: its settings are sent again", async () => {
  const focus = { mode: "manual", range: "normal", distance: "nearest", value: 700 };
  await controls.set({ pvFocus: focus, pvIsoSpeed: { mode: "manual", value: 800 } });
  expect(setting("pvFocus")).toBeUndefined(); // the camera is off
  const pv = headset.stream("pv", {});
  await until(() => setting("pvFocus"));
  await until(() => setting("pvIsoSpeed"));
  expect(setting("pvFocus")).toEqual({
    mode: 3,
    range: 2,
    distance: 2,
    value: 700,
    driverFallback: 0,
  });
  expect((await controls.get()).pvStatus).toBe("on");
  await until(() => pv.states.at(-1)?.state === "running");

  await pv.stop();
  await until(() => !simulator.device.subsystems.pv.on);
});

test("the camera was on already: said, and started again", async () => {
  const { subsystems } = simulator.device;
  const foreign = { on: true, start: null };
  subsystems.pv = foreign;
  const pv = headset.stream("pv", {});
  await until(() => pv.states.at(-1)?.state === "running");
  expect(pv.log.join()).toContain("the colour camera was on already");
  expect(subsystems.pv).not.toBe(foreign);

  // A cut connection is no reason to start it again.
  const ours = subsystems.pv;
  simulator.fault({ port: "pv", kind: "cut" });
  await until(() => pv.states.at(-1)?.state === "connecting");
  await until(() => pv.states.at(-1)?.state === "running");
  expect(subsystems.pv).toBe(ours);
  await pv.stop();
});

test("no headset: in words, and nothing is remembered", async () => {
  await simulator.reboot(0);
  const back = simulator.fault({ port: "remote-configuration", kind: "refuse" });
  await until(() => device.states.at(-1)?.words.includes("runs no hl2ss app"));
  const { setLast } = await controls.get();
  const { message, reason } = await refusal({ pvSceneMode: { mode: "sport" } });
  expect(message).toContain("runs no hl2ss app");
  expect(reason).toBe("unavailable");
  expect((await controls.get()).setLast).toEqual(setLast);
  expect(await controls.get()).toMatchObject({ address: null, pvStatus: null, deviceTime: null });
  back();
});
