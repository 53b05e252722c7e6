/** The gaze of each eye, in the tracker's frame, which is the rig's here. */
import { eyeTrackerBits, eyeTrackerReading } from "../wire/eye-tracker.ts";
import { gazeAt, type Ray } from "./gaze.ts";
import type { Source, SourceSetup } from "./source.ts";

const { calibration, combined, left, right } = eyeTrackerBits;
/** One eye winks for a while in each round of the world. */
const wink = { every: 4, from: 2, to: 2.3 };

export function openEyeTrackerSource({
  configuration,
}: Pick<SourceSetup<"eye-tracker">, "configuration">): Source {
  return {
    periodSeconds: 1 / configuration.fps,
    payload: ({ seconds }) => eyeTrackerReading.encode(readingAt(seconds)),
    close() {},
  };
}

function readingAt(seconds: number) {
  const gaze = gazeAt(seconds);
  const at = seconds % wink.every;
  const winks = at >= wink.from && at < wink.to;
  return {
    reserved: 0,
    ...named("combined", gaze.combined),
    ...named("left", gaze.left),
    ...(winks ? named("right", none) : named("right", gaze.right)),
    // The device fills none of these.
    ...{ leftOpenness: 0, rightOpenness: 0, vergenceDistance: 0 },
    valid: calibration | combined | left | (winks ? 0 : right),
  };
}

const none: Ray = { origin: [0, 0, 0], direction: [0, 0, 0] };

function named<Name extends "combined" | "left" | "right">(
  name: Name,
  { origin, direction }: Ray,
): Record<`${Name}Origin` | `${Name}Direction`, number[]> {
  return {
    [`${name}Origin`]: [...origin],
    [`${name}Direction`]: [...direction],
  } as Record<`${Name}Origin` | `${Name}Direction`, number[]>;
}
