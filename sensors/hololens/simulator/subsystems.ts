/** The sources that must be started: the colour camera, and the cameras of the extended ports. */
import type { Opening, Subsystem } from "../wire/configuration-reading.ts";
import type { StreamName } from "../wire/ports.ts";
import { type SubsystemStart, selectionOfStart } from "../wire/subsystem.ts";
import {
  depthFormats,
  isCameraFormat,
  isCameraSelection,
  isPersonalVideoFormat,
} from "./camera-formats.ts";
import { automatic, type Device, type SubsystemName } from "./device.ts";

export function subsystemNameOf(stream: StreamName): SubsystemName | null {
  return stream === "pv" || stream === "extended-video" || stream === "extended-depth"
    ? stream
    : null;
}

/** As far as it decides what the port refuses. */
export function subsystemOf(device: Device, name: SubsystemName): Subsystem {
  const { on, start } = device.subsystems[name];
  return {
    on,
    shared: name !== "extended-depth" && on && start?.shared === 1,
    supportsFormat: name === "pv" ? isPersonalVideoFormat : isCameraFormat,
    supportsMedia: (index) => index < depthFormats.length,
  };
}

/** What an opening does before the request is read. A start that fails leaves it off, without a word. */
export function startAsked(device: Device, name: SubsystemName, { start }: Opening): void {
  if (!start) return;
  stop(device, name);
  if (isPossible(name, start)) device.subsystems[name] = { on: true, start };
}

export function stop(device: Device, name: SubsystemName): void {
  device.subsystems[name] = { on: false, start: null };
  if (name !== "pv") return;
  Object.assign(device.camera, automatic);
  for (const setting of device.settings.keys()) {
    if (setting.startsWith("pv")) device.settings.delete(setting);
  }
}

function isPossible(name: SubsystemName, start: SubsystemStart): boolean {
  return name === "pv" || isCameraSelection(selectionOfStart(start));
}
