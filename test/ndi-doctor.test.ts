/** What `streamem doctor` says of libndi and of NDI|HX, on machines that have them and on machines that have not. */
import { afterAll, describe, expect, test } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../src/cli/doctor/finding.ts";
import { streamemJson } from "./cli.ts";
import { NdiNetwork, ndiEnvironment, ndiFolder } from "./ndi-network.ts";
import { TestRings } from "./rings.ts";
import { skipping } from "./skipping.ts";

const rings = new TestRings("ndi-doctor");
const { prefix, directory } = rings;
afterAll(() => rings.close());

const config = join(directory, "ndi.yaml");
writeFileSync(config, "sensors: [{ kind: ndi, name: mevo, source: MEVO }]\n");
const nobodys = join(directory, "other.yaml");
writeFileSync(nobodys, "sensors: [{ kind: rand-camera, name: cam }]\n");

const present = { NDI_RUNTIME_DIR_V6: ndiEnvironment.NDI_RUNTIME_DIR_V6 ?? "" };
const absent = { NDI_RUNTIME_DIR_V6: "", NDI_RUNTIME_DIR_V5: "" };

async function finding(about: string, env: Record<string, string>, file = config) {
  const words = ["doctor", "--port", "0", "--prefix", prefix, "--config", file];
  const { findings } = await streamemJson<{ findings: Finding[] }>(words, {
    STREAMEM_DIR: directory,
    ...env,
  });
  return findings.find((one) => one.about === about);
}

const isInstalled = (await finding("libndi", absent, nobodys))?.words.startsWith("NDI SDK");
if (isInstalled) skipping("what doctor says without libndi", "this machine has one installed");

describe.skipIf(isInstalled ?? false)("without libndi", () => {
  test("a sensor that needs it cannot run", async () => {
    expect(await finding("libndi", absent)).toEqual({
      about: "libndi",
      state: "broken",
      words: "mevo cannot run without it: NDI library not found. Tried: libndi.so.6",
      remedy:
        "Install the NDI SDK from ndi.video, set NDI_RUNTIME_DIR_V6 to its folder, or for a trial: bun add -d @grandi/linux-x64",
    });
  });

  test("nothing is wrong where none does", async () => {
    expect(await finding("libndi", absent, nobodys)).toMatchObject({ state: "ok", remedy: null });
  });
});

describe.skipIf(ndiFolder === null)("with libndi", () => {
  test("its version and its place", async () => {
    const { state, words = "" } = (await finding("libndi", present)) ?? {};
    expect(state).toBe("ok");
    expect(words).toMatch(/^NDI SDK LINUX .+ \d+\.\d+\.\d+/);
    expect(words).toEndWith(`, from ${ndiFolder}/libndi.so.6`);
  });

  // Look for one name of a row only in libndi/hx.ts: then half of FFmpeg 7 is enough.
  test("NDI|HX can be decoded where both libraries of FFmpeg 7 load, by either name", async () => {
    const libc = Bun.spawnSync(["sh", "-c", "ls /lib*/*/libm.so.6 /lib*/libm.so.6 | head -n 1"]);
    const any = libc.stdout.toString().trim();
    const has = async (...names: string[]) => {
      const folder = join(directory, names.join("-").slice(0, 40) || "none");
      Bun.spawnSync(["mkdir", folder]);
      for (const name of names) symlinkSync(any, join(folder, name));
      return finding("NDI|HX", { ...present, LD_LIBRARY_PATH: folder });
    };
    const isThere = (await finding("NDI|HX", present))?.state === "ok"; // this machine's own
    if (!isThere) {
      const half = await has("libavcodec.so.61", "libavutil-ndi.so.59");
      expect(half).toMatchObject({ state: "warning" });
      expect(half?.words).toContain('"Video decoder not found"');
      expect(half?.words).toContain("there is no libavutil.so.59");
      expect(half?.remedy).toContain("apt-get install libavcodec61");
    }
    expect(await has("libavcodec.so.61", "libavutil.so.59")).toMatchObject({ state: "ok" });
    expect(await has("libavcodec-ndi.so.61", "libavutil-ndi.so.59")).toMatchObject({ state: "ok" });
  });

  // Leave hxMissing out of sensors/ndi.ts.
  test("a sensor says at its start that it cannot decode NDI|HX, where it cannot", async () => {
    if ((await finding("NDI|HX", present))?.state === "ok") {
      return skipping("what is said without FFmpeg 7", "this machine has it installed");
    }
    const network = await NdiNetwork.open();
    const words = [
      join(import.meta.dir, "../src/main.ts"),
      "hub",
      "--port",
      "0",
      "--config",
      config,
    ];
    const hub = Bun.spawn(network.command(process.execPath, ...words), {
      env: { ...rings.environment, ...present },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = [hub.stdout, hub.stderr].map((output) => saysHx(output));
    expect(await Promise.race(said)).toContain("apt-get install libavcodec61");
    hub.kill("SIGTERM");
    expect(await hub.exited).toBe(0);
    await network.close();
  });
});

/** The line that says it; never resolves where none does. */
async function saysHx(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of output) {
    text += new TextDecoder().decode(piece);
    const line = text.split("\n").find((one) => one.includes('"Video decoder not found"'));
    if (line) return line;
  }
  return new Promise(() => {});
}
