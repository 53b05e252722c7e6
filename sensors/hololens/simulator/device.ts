/** What the simulated headset is and remembers while clients come and go. */
import { filetimeOfUnix } from "../wire/device-time.ts";
import type { StreamName } from "../wire/ports.ts";
import type { RemoteCommand } from "../wire/remote-configuration.ts";
import type { SubsystemStart } from "../wire/subsystem.ts";
import { type ClockSettings, createDeviceClock, type DeviceClock } from "./device-clock.ts";
import type { Faults } from "./faults.ts";
import type { CameraState } from "./source.ts";

export type SubsystemName = "pv" | "extended-video" | "extended-depth";

export interface SubsystemState {
  on: boolean;
  /** The command that started it; null: it is off. */
  start: SubsystemStart | null;
}

export interface Device {
  clock: DeviceClock;
  faults: Faults;
  /** FILETIME = ticks + this; computed when the device starts. */
  utcOffset: bigint;
  subsystems: Record<SubsystemName, SubsystemState>;
  camera: CameraState;
  /** The settings that were taken, by command. Each port or region of its own overwrites the one before. */
  settings: Map<RemoteCommand["name"], RemoteCommand["values"]>;
  /** Streams that send packets at this moment. */
  streaming: Set<StreamName>;
}

/** What the camera does by itself. */
export const automatic: Readonly<CameraState> = {
  focus: 1000,
  exposureTime: 166_660n,
  isoSpeed: 400,
  whiteBalance: 5000,
};

const off = (): SubsystemState => ({ on: false, start: null });

function fresh(clock: DeviceClock) {
  return {
    utcOffset: filetimeOfUnix(BigInt(Date.now()) * 10_000n) - clock.ticks(),
    subsystems: { pv: off(), "extended-video": off(), "extended-depth": off() },
    settings: new Map(),
  };
}

export function createDevice(settings: ClockSettings, faults: Faults): Device {
  const clock = createDeviceClock(settings);
  return { clock, faults, camera: { ...automatic }, streaming: new Set(), ...fresh(clock) };
}

/** Everything but the world begins anew. */
export function restartDevice(device: Device, secondsSinceBoot: number): void {
  device.clock.reboot(secondsSinceBoot);
  Object.assign(device.camera, automatic);
  Object.assign(device, fresh(device.clock));
}
