// The vectors for a server, by what the simulated headset does about each.
import { expect, test } from "bun:test";
import type { SubsystemName } from "../sensors/hololens/simulator/device.ts";
import { subsystemOf } from "../sensors/hololens/simulator/subsystems.ts";
import { calibrations } from "../sensors/hololens/wire/calibration.ts";
import {
  type Opening,
  parseConfiguration,
} from "../sensors/hololens/wire/configuration-reading.ts";
import {
  cameraChoices,
  parseAudioList,
  parseCameraList,
  readListText,
} from "../sensors/hololens/wire/device-list.ts";
import { framingOf } from "../sensors/hololens/wire/framing.ts";
import { readPacket } from "../sensors/hololens/wire/packet.ts";
import {
  hasSubsystem,
  type StreamName,
  streamOfPort,
  streamPorts,
} from "../sensors/hololens/wire/ports.ts";
import {
  hasReply,
  parseCommands,
  readReply,
} from "../sensors/hololens/wire/remote-configuration.ts";
import { encodeStart, startOfSource } from "../sensors/hololens/wire/subsystem.ts";
import { clientOf, say, simulate, startCamera } from "./hololens-simulator.ts";
import { bytesOf, type Vector, vectorsOf } from "./hololens-wire-vectors.ts";

const simulator = await simulate();
const { subsystems } = simulator.device;
const requests = vectorsOf("requests");

function streamIn({ name, port }: Vector): StreamName {
  const stream = streamOfPort(port ?? 0);
  if (!stream) throw new Error(`${name}: port ${port}`);
  return stream;
}

const configurations = requests.filter(({ name }) => name.startsWith("config/"));
for (const one of configurations) {
  test(one.name, async () => {
    const stream = streamIn(one);
    const { family } = streamPorts[stream];
    if (hasSubsystem(family) && !subsystems[stream as SubsystemName].on) await startCamera(stream);
    const { request } = parseConfiguration(family, bytesOf(one));
    const client = clientOf(stream);
    client.send(bytesOf(one));
    if (request.kind === "stream") {
      const framing = framingOf(family, request.configuration, one.name);
      for (let i = 0; i < 2; i++) {
        const packet = await client.read(readPacket(framing));
        expect(packet?.payload.byteLength).toBeGreaterThanOrEqual(framing.smallest);
        if (packet?.pose) expect(packet.pose[15]).toBe(1);
      }
    } else if (stream === "extended-video" || stream === "extended-audio") {
      const text = await client.read(readListText(one.name));
      const parse = stream === "extended-video" ? parseCameraList : parseAudioList;
      expect(parse(text ?? "", one.name).length).toBeGreaterThan(1);
      expect(await client.ending).toBe("fin");
    } else {
      const { bytes } = calibrations[stream as keyof typeof calibrations];
      expect((await client.rest()).byteLength).toBe(bytes);
      expect(await client.ending).toBe("fin");
    }
    client.close();
  });
}

const controls = requests.filter(({ name }) => name.startsWith("control/"));
for (const one of controls) {
  test(one.name, async () => {
    const stream = streamIn(one) as SubsystemName;
    const { opening } = parseConfiguration(streamPorts[stream].family, bytesOf(one));
    expect(await say(stream, bytesOf(one))).toBe("fin");
    const { on, start } = simulator.device.subsystems[stream];
    const { start: asked, stop }: Opening = opening;
    expect({ on, start }).toEqual(stop ? { on: false, start: null } : { on: true, start: asked });
  });
}

test("the camera is on for the commands", async () => {
  await startCamera();
  expect(simulator.device.subsystems.pv.on).toBe(true);
});

const commands = requests.filter(({ name }) => name.startsWith("rc/request/"));
for (const one of commands) {
  test(one.name, async () => {
    const [command] = parseCommands(bytesOf(one));
    if (!command) throw new Error("no command");
    const { name, values } = command;
    const client = clientOf("remote-configuration");
    client.send(bytesOf(one));
    if (hasReply(name)) expect(await client.read(readReply(name, values as never))).not.toBeNull();
    client.finish();
    // Nothing beyond the reply, and the end only because the client has ended.
    expect((await client.rest()).byteLength).toBe(0);
    expect(await client.ending).toBe("fin");
    if (!hasReply(name)) expect(simulator.device.settings.get(name)).toEqual(values as never);
    client.close();
  });
}

test("every camera of the list can be started, and streams in each of its formats", async () => {
  const client = clientOf("extended-video");
  client.send(Uint8Array.of(2));
  const text = await client.read(readListText("extended video"));
  const choices = cameraChoices(parseCameraList(text ?? "", "extended video"));
  expect(choices.length).toBeGreaterThan(10);
  for (const choice of choices) {
    await say("extended-video", encodeStart(startOfSource(choice)));
    expect(subsystems["extended-video"].on).toBe(true);
    const { supportsFormat } = subsystemOf(simulator.device, "extended-video");
    expect(supportsFormat(choice)).toBe(true);
  }
  client.close();
});
