/** How a device's clock stands to this machine's, for people. */
import type { SensorBody } from "../../api/schemas.ts";

interface Times {
  publishTimeNs: bigint;
  publishUtcNs: bigint;
}

/** A device's clock beside this machine's. `newest`: a frame of its stream, which knows both of this machine's clocks. */
export function clockWords(
  clock: SensorBody["clock"],
  newest: Times | null,
): { words: string; title: string } {
  if (!clock || clock.method === "local")
    return { words: "this machine's own", title: "Stamped with CLOCK_MONOTONIC of this machine" };
  const { method, offsetNs, errorNs, roundTripNs, ratePpm } = clock;
  const error = errorNs === null ? "± unknown" : `± ${durationWords(errorNs)}`;
  const words = offsetNs === null ? error : `${offsetWords(offsetNs, newest)} ${error}`;
  const how =
    method === "probe"
      ? `asked and answered in ${roundTripNs === null ? "?" : durationWords(roundTripNs)}`
      : "by arrivals only";
  return {
    words,
    title: `Offset of the device's clock to this machine's (${offsetNs ?? "?"} ns to CLOCK_MONOTONIC), ${how}${ratePpm === null ? "" : `, ${ratePpm.toFixed(1)} ppm`}`,
  };
}

function durationWords(ns: string): string {
  const ms = Number(ns) / 1e6;
  return ms < 1 ? `${Math.round(ms * 1000)} µs` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** A device that counts from 1970, as cameras with a set clock do, is compared with this machine's wall clock. */
const wallOffsetMaxNs = 86_400e9;

function offsetWords(ns: string, newest: Times | null): string {
  const toWallNs = newest && Number(BigInt(ns) + newest.publishUtcNs - newest.publishTimeNs);
  return toWallNs !== null && Math.abs(toWallNs) < wallOffsetMaxNs
    ? `UTC ${secondsWords(toWallNs)}`
    : secondsWords(Number(ns));
}

function secondsWords(ns: number): string {
  return `${ns < 0 ? "−" : "+"}${Math.abs(ns / 1e9).toFixed(3)} s`;
}
