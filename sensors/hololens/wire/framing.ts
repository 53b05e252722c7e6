/** How large each stream's payloads may be: enough for all that is legal, too little to fill the memory. */
import { audioProfiles } from "./codes.ts";
import type { Configurations } from "./configuration.ts";
import { eyeTrackerReading } from "./eye-tracker.ts";
import { imuSample } from "./imu.ts";
import type { Framing } from "./packet.ts";
import { hasPose, type Mode, type StreamFamily } from "./ports.ts";
import { spatialInput } from "./spatial-input.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

interface Sizes {
  smallest?: number;
  largest: number;
  unit?: number;
}

function exactly(bytes: number): Sizes {
  return { smallest: bytes, largest: bytes };
}

function audio({ profile }: { profile: number }): Sizes {
  return { largest: profile === audioProfiles.raw ? MiB : 64 * KiB };
}

/** Payloads that hold nothing but their footer are legal where `smallest` is not said. */
const sizes: { [F in StreamFamily]: (configuration: Configurations[F]) => Sizes } = {
  vlc: () => ({ largest: MiB }),
  ahat: () => ({ smallest: 16, largest: 2 * MiB }),
  longthrow: () => ({ smallest: 9, largest: 512 * KiB }),
  imu: () => ({ smallest: imuSample.bytes, largest: 64 * KiB, unit: imuSample.bytes }),
  pv: () => ({ largest: 4 * MiB }),
  microphone: audio,
  "spatial-input": () => exactly(spatialInput.bytes),
  "eye-tracker": () => exactly(eyeTrackerReading.bytes),
  "extended-audio": audio,
  "extended-video": () => ({ largest: 32 * MiB }),
  "extended-depth": () => ({ smallest: 5, largest: 8 * MiB }),
};

export function framingOf<F extends StreamFamily>(
  family: F,
  configuration: Configurations[F],
  where: string = family,
): Framing {
  const { smallest = 0, largest, unit = 1 } = sizes[family](configuration);
  const mode: Mode = "mode" in configuration ? (configuration.mode as Mode) : 0;
  return { where, pose: hasPose(family, mode), smallest, largest, unit };
}
