/**
 * What a stream's loss means for the person who wears the headset: a sentence for each cause, from where
 * in the session it happened and from what the remote configuration port does at the same time.
 */
import { needsResearchMode, type StreamFamily } from "../wire/ports.ts";
import { ProtocolError } from "../wire/protocol-error.ts";
import { hostWords } from "./host-words.ts";
import { ConnectionLost } from "./lost.ts";
import type { Reach } from "./parts.ts";

/** `starting`: its source is being started; `asked`: no packet yet; `calibrating`: during the transfer. */
export type Phase = "connecting" | "starting" | "calibrating" | "asked" | "streaming";

export interface Loss {
  error: unknown;
  phase: Phase;
  family: StreamFamily;
  host: string;
  /** With the offset of a simulator. */
  port: number;
  /** The remote configuration port, and what became of the last question there. */
  devicePort: number;
  reach: Reach;
  /** Both depth cameras are configured. */
  bothDepths: boolean;
}

const permissions: Partial<Record<StreamFamily, string>> = {
  pv: "the camera",
  microphone: "the microphone",
  "spatial-input": "eye tracking and movements",
  "eye-tracker": "the eye tracker",
  "extended-audio": "the microphone",
  "extended-video": "the camera",
  "extended-depth": "the camera",
};

const refusals: Record<StreamFamily, string> = {
  pv: "the camera does not offer this width, height and framerate, or it could not be started because another app has it",
  "extended-video":
    "there is no such group, source and cameraProfile, the size is not offered, or the camera is in use",
  "extended-depth":
    "there is no such group, source, cameraProfile and media, or the camera is in use",
  "extended-audio": "there is no such device",
  microphone: "another app has the microphone",
  "eye-tracker": "the eye tracker could not be opened at this rate",
  "spatial-input": "the app runs in flat mode",
  vlc: "another app has the sensor",
  ahat: "another app has the sensor",
  longthrow: "another app has the sensor",
  imu: "another app has the sensor",
};

const bothDepthsWords =
  "AHAT and long throw are both configured, and most headsets run one of them only: leave one out of streams";

/** One sentence, without its end. */
export function lossWords(loss: Loss): string {
  const { error, phase, host, port } = loss;
  if (error instanceof ProtocolError) return protocolWords(error, loss);
  if (!(error instanceof ConnectionLost)) return String(error);
  switch (error.reason) {
    case "refused":
      return refusedWords(loss);
    case "silent":
      return silentWords(loss);
    case "closed":
    case "reset":
      return phase === "streaming" ? endedWords(loss) : turnedAwayWords(loss);
    default: {
      const words = hostWords(error.reason, host, port) as string;
      return error.code ? `${words} (${error.code})` : words;
    }
  }
}

/** Where the whole headset is at fault, that is the sentence. */
function wholeHeadset({ reach, host, devicePort }: Loss): string | null {
  return hostWords(reach, host, devicePort);
}

function refusedWords(loss: Loss): string {
  const { family, port, reach } = loss;
  if (reach !== "answers") {
    return wholeHeadset(loss) ?? `port ${port} refuses: the app is being started or ended`;
  }
  if (needsResearchMode(family)) {
    return `Research Mode is off: the app runs and port ${port} is not there. Switch it on in the Device Portal (System > Research mode) and restart the headset`;
  }
  const what = permissions[family] ?? "this sensor";
  return `permission denied: the app runs and port ${port} is not there. Allow hl2ss ${what} in the headset's settings (Privacy), and start it again`;
}

function silentWords(loss: Loss): string {
  const { phase, reach, port, bothDepths, family } = loss;
  if (reach !== "answers") {
    return (
      wholeHeadset(loss) ?? `nothing more comes from port ${port}, and the headset does not answer`
    );
  }
  if (phase === "streaming")
    return `nothing more comes from port ${port}, though the app runs: another app may have the sensor`;
  if (bothDepths && isDepth(family)) return `port ${port} gives nothing: ${bothDepthsWords}`;
  return `port ${port} takes the connection and gives nothing: it is busy, another client holds it, or a permission is being asked for on the headset`;
}

function endedWords(loss: Loss): string {
  const { port } = loss;
  return (
    (loss.reach === "answers" ? null : wholeHeadset(loss)) ??
    `the headset has ended the stream of port ${port}`
  );
}

function turnedAwayWords(loss: Loss): string {
  const { family, port, phase, reach, bothDepths } = loss;
  if (reach !== "answers") {
    const words = wholeHeadset(loss);
    if (words) return words;
  }
  const why = bothDepths && isDepth(family) ? bothDepthsWords : refusals[family];
  const what = phase === "starting" ? "the start of its source" : "what was asked for";
  return `port ${port} refused ${what}: ${why}`;
}

function protocolWords(error: ProtocolError, { port }: Loss): string {
  if (error.kind === "truncated") return `the connection to port ${port} was cut: ${error.message}`;
  if (error.kind === "frame")
    return `too many frames of port ${port} are unusable: ${error.message}`;
  return `port ${port} does not speak the protocol: ${error.message}`;
}

function isDepth(family: StreamFamily): boolean {
  return family === "ahat" || family === "longthrow";
}
