/** FFmpeg, as the optional package node-av carries it: loaded only when a sensor decodes. */
import type * as Library from "node-av/lib";
import { SensorError } from "../sensor.ts";

export type { CodecContext, FormatContext, Frame, Packet, Stream } from "node-av/lib";

/** The bindings with the constants beside them: only `node-av/lib`, the rest of it takes long to load. */
export type Ffmpeg = typeof Library & { constants: typeof import("node-av/constants") };

const importAll = async (): Promise<Ffmpeg> => ({
  ...(await import("node-av/lib")),
  constants: await import("node-av/constants"),
});

/** Throws a SensorError that says what to install. */
export async function loadFfmpeg(load: () => Promise<Ffmpeg> = importAll): Promise<Ffmpeg> {
  try {
    return await load();
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] as string) : String(cause);
    throw new SensorError(
      "video needs the optional package node-av (FFmpeg), which cannot be loaded: " +
        "run `bun install` in the project's folder, without `--omit=optional` " +
        `(there are builds for x86-64 and arm64; about 210 MB). What came: ${why}`,
      { retry: false, cause },
    );
  }
}

/** Ticks of a time base as ns, rounded to the nearest. */
export function ticksToNs(ticks: bigint, timeBase: { num: number; den: number }): bigint {
  const scaled = ticks * BigInt(timeBase.num) * 1_000_000_000n;
  const den = BigInt(timeBase.den);
  const half = scaled < 0n ? -den / 2n : den / 2n;
  return (scaled + half) / den;
}

/** FFmpeg's mark for "no time here", as null. */
export function known(ffmpeg: Ffmpeg, ticks: bigint): bigint | null {
  return ticks === ffmpeg.constants.AV_NOPTS_VALUE ? null : ticks;
}

/** For a descriptor's `clock.unit`: "1/12800 s". */
export function unitOf({ num, den }: { num: number; den: number }): string {
  return `${num}/${den} s`;
}
