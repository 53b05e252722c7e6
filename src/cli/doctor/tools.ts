/** What the hub stands on. Nothing here needs the native code, which may be what is broken. */
import { accessSync, constants, statfsSync } from "node:fs";
import manifest from "../../../package.json" with { type: "json" };
import { broken, brokenBy, type Finding, type HubConfig, ok, warning } from "./finding.ts";

export function bunVersion(version = Bun.version): Finding {
  const wanted = manifest.engines.bun;
  if (Bun.semver.satisfies(version, wanted)) return ok("bun", version);
  const remedy = "Start it with `npx --yes bun@1.4.5 run hub`, or run `bun upgrade`.";
  return broken("bun", `this is ${version}, it takes ${wanted}`, remedy);
}

/** It is built by a compiler, and kept in a folder. */
function shimRemedy(words: string): string {
  return words.includes("XDG_CACHE_HOME")
    ? "Set XDG_CACHE_HOME to a folder that this user can write."
    : "apt-get install gcc libc6-dev (or $CC with another compiler)";
}

/** Loads the shim, which builds it: nothing works without. */
export async function nativeShim(): Promise<Finding> {
  try {
    const { shimOrigin } = await import("../../ring/ffi.ts");
    if (shimOrigin.startsWith("/")) return ok("native code", shimOrigin);
    const words = `built by ${shimOrigin}: small messages cost about twice the time`;
    return warning("native code", words, shimRemedy(words));
  } catch (error) {
    return brokenBy("native code", error, shimRemedy((error as Error).message));
  }
}

/** Kinds whose frames come compressed. */
const decodingKinds = ["video", "hololens"];

export async function nodeAv({ sensors }: HubConfig): Promise<Finding> {
  try {
    await import("node-av/lib");
    return ok("node-av", "loads");
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    const remedy = "Run `bun install` in the project's folder without `--omit=optional` (210 MB).";
    const users = sensors.filter(({ kind }) => decodingKinds.includes(kind));
    const names = users.map(({ name }) => name).join(", ");
    return users.length > 0
      ? broken("node-av", `${names} cannot decode without it: ${why}`, remedy)
      : warning(
          "node-av",
          `sensors of kind ${decodingKinds.join(" and ")} would not work: ${why}`,
          remedy,
        );
  }
}

const tmpfs = 0x01021994;

export function sharedMemoryFolder(): Finding {
  const about = "/dev/shm";
  try {
    accessSync(about, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code;
    const remedy = "As root: mount -t tmpfs -o mode=1777 tmpfs /dev/shm";
    return broken(about, `this user cannot write it (${why})`, remedy);
  }
  if (statfsSync(about).type === tmpfs) return ok(about, "can be written, lies in memory");
  const remedy = "As root: mount -t tmpfs -o mode=1777 tmpfs /dev/shm";
  return warning(about, "is on a disk: every frame would be written there", remedy);
}
