/** Head, gaze and hands at 30 Hz, of the instant that the client's delay asks for. */

import type { CommandValues } from "../wire/remote-configuration.ts";
import { type SpatialInput, spatialInput, spatialInputBits } from "../wire/spatial-input.ts";
import type { Device } from "./device.ts";
import { gazeAt, headAt, rayInWorld } from "./gaze.ts";
import { handAt, isSeen } from "./hands.ts";
import type { Source, SourceSetup } from "./source.ts";

const periodSeconds = 1 / 30;
/** The eyes are shut for so long in each round of the world. */
const blink = { every: 4, seconds: 0.2 };

/** What is not valid keeps its last value, zeros before the first: so this begins with none. */
function nothing(): SpatialInput {
  return spatialInput.read(new DataView(new ArrayBuffer(spatialInput.bytes)), 0);
}

export function openSpatialInputSource(
  { stream }: Pick<SourceSetup<"spatial-input">, "stream">,
  device: Device,
): Source {
  let last = nothing();
  return {
    periodSeconds,
    payload({ seconds }) {
      const at = seconds - delaySeconds(device);
      const lost = device.faults.find("not-located", stream) !== null;
      last = { ...last, ...(lost ? { valid: 0 } : inputAt(at)) };
      return spatialInput.encode(last);
    },
    close() {},
  };
}

function delaySeconds({ settings }: Device): number {
  const asked = settings.get("spatialInputDelay") as CommandValues<"spatialInputDelay"> | undefined;
  return Number(asked?.delay ?? 0n) / 1e7;
}

function inputAt(seconds: number): Partial<SpatialInput> {
  const head = headAt(seconds);
  const input: Partial<SpatialInput> = {
    headPosition: [...head.position],
    headForward: [...head.forward],
    headUp: [...head.up],
  };
  let valid: number = spatialInputBits.head;
  if (seconds % blink.every >= blink.seconds) {
    const { origin, direction } = rayInWorld(gazeAt(seconds).combined, seconds);
    Object.assign(input, { eyeOrigin: [...origin], eyeDirection: [...direction] });
    valid |= spatialInputBits.eyeRay;
  }
  if (isSeen("left", seconds)) {
    input.handLeft = handAt("left", seconds, head);
    valid |= spatialInputBits.handLeft;
  }
  if (isSeen("right", seconds)) {
    input.handRight = handAt("right", seconds, head);
    valid |= spatialInputBits.handRight;
  }
  return { ...input, valid };
}
