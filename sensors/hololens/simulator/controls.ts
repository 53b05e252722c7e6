/** Remote configuration: what each command does to the device, and what it answers. */

import { secondsOf } from "../wire/device-time.ts";
import type { Grammar } from "../wire/grammar.ts";
import { streamOfPort } from "../wire/ports.ts";
import type { Vector } from "../wire/pose.ts";
import { notLocated } from "../wire/pose.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { commands } from "../wire/remote-commands.ts";
import {
  type CommandValues,
  encodeReply,
  problemOf,
  type RemoteCommand,
  readCommand,
  where,
} from "../wire/remote-configuration.ts";
import { automatic, type Device } from "./device.ts";
import { type CameraStream, cameraModels, project, rayOf } from "./world/camera-models.ts";
import { rigPoseAt } from "./world/motion.ts";

const appVersion = "1.0.37.0";
/** Commands that older apps do not know: the first id, and since when. */
const newCommands = [
  { id: commands.vlcLoop.id, since: [1, 0, 37] },
  { id: commands.readerBuffering.id, since: [1, 0, 37] },
  { id: commands.encoderBuffering.id, since: [1, 0, 37] },
  { id: commands.spatialInputDelay.id, since: [1, 0, 36] },
  { id: commands.currentTime.id, since: [1, 0, 36] },
  { id: commands.rigNodePoses.id, since: [1, 0, 36] },
  { id: commands.mapCameraPoints.id, since: [1, 0, 36] },
] as const;

export function versionOf({ faults }: Device): number[] {
  const text = String(faults.find("version", "remote-configuration") || appVersion);
  const parts = text.split(".").map(Number);
  return [0, 1, 2, 3].map((i) => parts[i] ?? 0);
}

/**
 * The next command, or a ProtocolError as the device's reason to close.
 * @param begun called when its first byte is there
 */
export function* readKnownCommand(device: Device, begun: () => void): Grammar<RemoteCommand> {
  const researchMode = device.faults.find("no-research-mode", "remote-configuration") === null;
  const grammar = readCommand({ researchMode });
  let step = grammar.next();
  for (let first = true; !step.done; first = false) {
    const bytes = yield step.value;
    if (first) {
      begun();
      checkKnown(bytes[0] as number, versionOf(device));
    }
    step = grammar.next(bytes);
  }
  return step.value;
}

function checkKnown(id: number, version: number[]): void {
  const since = newCommands.find((one) => one.id === id)?.since;
  if (!since || !isBefore(version, since)) return;
  const what = `command ${id}, which the app knows since ${since.join(".")}`;
  throw new ProtocolError({ where, what, allowed: `those of version ${version.join(".")}` });
}

function isBefore(version: readonly number[], other: readonly number[]): boolean {
  const at = other.findIndex((part, i) => part !== version[i]);
  return at >= 0 && (version[at] as number) < (other[at] as number);
}

/** @returns the reply; null: the command has none */
export function obey(device: Device, command: RemoteCommand): Uint8Array | null {
  const { name, values } = command;
  switch (name) {
    case "applicationVersion":
      return encodeReply(name, values, versionOf(device));
    case "utcOffset":
      return encodeReply(name, values, device.utcOffset);
    case "pvStatus":
      return encodeReply(name, values, device.subsystems.pv.on ? 1 : 0);
    case "currentTime":
      return encodeReply(name, values, currentTime(device, values));
    case "mapCameraPoints":
      return encodeReply(name, values, mapPoints(values));
    case "rigNodePoses":
      return encodeReply(name, values, rigPoses(device, values));
    default:
      set(device, command);
      return null;
  }
}

function currentTime({ clock, utcOffset }: Device, { source }: CommandValues<"currentTime">) {
  return BigInt.asUintN(64, clock.ticks() + (source === 1 ? utcOffset : 0n));
}

function mapPoints({ port, operation, points }: CommandValues<"mapCameraPoints">): number[][] {
  const model = cameraModels[streamOfPort(port) as CameraStream];
  return points.map(([x = 0, y = 0]) => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return operation === 0 ? [0, 0] : [-1, -1];
    if (operation === 0) return rayOf(model, x, y) ?? [0, 0];
    const point: Vector = [x, y, 1];
    const pixel = project(model, point);
    const [u, v] = pixel ?? [-1, -1];
    return u >= 0 && v >= 0 && u < model.width && v < model.height ? [u, v] : [-1, -1];
  });
}

function rigPoses({ faults }: Device, { timestamps }: CommandValues<"rigNodePoses">) {
  const lost = faults.find("not-located", "remote-configuration") !== null;
  return timestamps.map((ticks) => (lost ? notLocated : rigPoseAt(secondsOf(ticks))));
}

/** What is wrong, or of a camera that is off, is ignored without a word. */
function set(device: Device, command: RemoteCommand): void {
  const { name, values } = command;
  if (problemOf(name, values as never) !== null) return;
  const { on, start } = device.subsystems.pv;
  if (name.startsWith("pv") && (!on || start?.shared)) return;
  device.settings.set(name, values);
  setCamera(device, command);
}

function setCamera({ camera }: Device, { name, values }: RemoteCommand): void {
  switch (name) {
    case "pvFocus":
      camera.focus = values.mode === 3 ? values.value : automatic.focus;
      break;
    case "pvExposure":
      camera.exposureTime = values.mode === 0 ? BigInt(values.value) * 10n : automatic.exposureTime;
      break;
    case "pvIsoSpeed":
      camera.isoSpeed = values.mode === 0 ? values.value : automatic.isoSpeed;
      break;
    case "pvWhiteBalanceValue":
      camera.whiteBalance = values.value * 25;
      break;
    case "pvWhiteBalancePreset":
      camera.whiteBalance = whiteBalances[values.preset] ?? camera.whiteBalance;
  }
}

/** Kelvin, by preset; manual leaves it as it is. */
const whiteBalances: Record<number, number> = {
  ...{ 0: automatic.whiteBalance, 2: 6500, 3: 5500, 4: 5500 },
  ...{ 5: 4000, 6: 3200, 7: 1900 },
};
