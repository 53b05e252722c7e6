/** `streamem doctor` on machines that lack something: each is made for the test, none is a mock. */
import { afterAll, describe, expect, test } from "bun:test";
import { chownSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../src/cli/doctor/finding.ts";
import { bunVersion } from "../src/cli/doctor/tools.ts";
import { plannedBytes } from "../src/cli/ring-size.ts";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { streamem } from "./cli.ts";
import { camera, TestRings } from "./rings.ts";

const rings = new TestRings("doctor");
const { prefix, directory } = rings;
afterAll(() => rings.close());

interface Report {
  ok: boolean;
  findings: Finding[];
}

/** What it says, with the folder and the prefix of this test and any free port. */
async function examined(
  options: { config?: string; flags?: string[]; env?: object; wrapper?: string[] } = {},
) {
  const words = ["doctor", "--json", "--port", "0", "--prefix", prefix, ...(options.flags ?? [])];
  if (options.config !== undefined) {
    const file = join(directory, "config.yaml");
    writeFileSync(file, options.config);
    words.push("--config", file);
  }
  const env = { STREAMEM_DIR: directory, ...options.env };
  const { code, stdout, stderr } = await streamem(words, env, options.wrapper);
  expect(stderr).toBe("");
  const report = JSON.parse(stdout) as Report;
  expect(report.ok).toBe(code === 0);
  const about = (name: string) => report.findings.filter((finding) => finding.about === name);
  return { ...report, code, about };
}

test("a machine where all is well: every line says what was looked at", async () => {
  const words = ["doctor", "--port", "0", "--prefix", prefix];
  const { code, stdout } = await streamem(words, { STREAMEM_DIR: directory });
  expect(stdout).toEndWith("Nothing is broken.\n");
  expect(code).toBe(0);
  for (const about of [
    "bun",
    "native code",
    "node-av",
    "configuration",
    "/dev/shm",
    "shared memory",
    "stale rings",
    "doorbell folder",
    "port",
  ]) {
    expect(stdout).toMatch(new RegExp(`^(ok|warning) +${about}: .`, "m"));
  }
});

describe("what the hub stands on", () => {
  test("a Bun that is too old", () => {
    expect(bunVersion("1.4.4")).toMatchObject({
      state: "broken",
      words: "this is 1.4.4, it takes >=1.4.5",
      remedy: expect.stringContaining("npx --yes bun@1.4.5"),
    });
  });

  // Where there is no compiler on another processor than x86-64 this is broken.
  test.skipIf(process.arch !== "x64")("no compiler", async () => {
    const env = { STREAMEM_NO_COMPILER: "1", XDG_CACHE_HOME: join(directory, "cache") };
    const { code, about } = await examined({ env });
    expect(about("native code")).toMatchObject([
      {
        state: "warning",
        words: expect.stringContaining("built by TinyCC (no C compiler found"),
        remedy: expect.stringContaining("apt-get install gcc libc6-dev"),
      },
    ]);
    expect(code).toBe(0);
  });

  test.skipIf(process.arch !== "x64")("a home folder that cannot be written", async () => {
    const { about } = await examined({ env: { XDG_CACHE_HOME: "/proc" } });
    expect(about("native code")).toMatchObject([
      { state: "warning", remedy: "Set XDG_CACHE_HOME to a folder that this user can write." },
    ]);
  });
});

describe("the configuration", () => {
  test("each mistake, and everything else with the default", async () => {
    const config = "port: many\nsensors: [{ kind: camera, name: a }]";
    const { code, about } = await examined({ config });
    const file = join(directory, "config.yaml");
    expect(about("configuration").map(({ state, words }) => `${state} ${words}`)).toEqual([
      `broken ${file}:1:7: port: is "many"; allowed: a whole number from 0 to 65535`,
      expect.stringContaining('"camera" is no kind of sensor'),
    ]);
    expect(about("doorbell folder")).toMatchObject([{ state: "ok", words: directory }]);
    expect(code).toBe(1);
  });

  test("rings that do not fit: how much is needed and how much is free", async () => {
    const config =
      "sensors: [{ kind: rand-camera, name: huge, width: 16384, height: 16384, slots: 65536 }]";
    const { code, about } = await examined({ config });
    expect(about("shared memory")).toMatchObject([
      {
        state: "broken",
        words: expect.stringMatching(/needs 52800 GB .*free are .* in \/dev\/shm/),
        remedy: expect.stringContaining("fewer `slots`"),
      },
    ]);
    expect(code).toBe(1);
  });

  const mounts = Bun.spawnSync(["unshare", "-m", "true"], { stderr: "ignore" }).success;
  test.skipIf(!mounts)("a container's 16 MB of shared memory", async () => {
    const wrapper = ["unshare", "-m", "sh", "-c"];
    const mount = 'mount -t tmpfs -o size=16m tmpfs /dev/shm && exec "$@"';
    const { code, about } = await examined({ wrapper: [...wrapper, mount, "sh"] });
    expect(about("shared memory")).toMatchObject([
      {
        state: "broken",
        words: expect.stringMatching(/needs 22\.9 MB .*free are 16\.8 MB in/),
        remedy: expect.stringContaining("--shm-size"),
      },
    ]);
    expect(code).toBe(1);
  });
});

describe("what lies in /dev/shm", () => {
  test("the ring of a killed writer is stale, that of a living one is not", async () => {
    await rings.producer("alive", camera);
    const producer = await rings.producer("dead", camera);
    producer.kill("SIGKILL");
    await producer.exited;
    const { code, about } = await examined();
    const [finding] = about("stale rings");
    expect(finding).toMatchObject({
      state: "warning",
      remedy: expect.stringContaining(`rm ${rings.path("dead")}`),
    });
    expect(finding?.words).toMatch(new RegExp(`^${rings.path("dead")}: no writer lives`));
    expect(code).toBe(0);
  });

  test("a ring that was being made when its writer died", async () => {
    const file = `/dev/shm/.${prefix}.half.0123456789abcdef`;
    writeFileSync(file, Buffer.alloc(65536, 1));
    const [finding] = (await examined()).about("stale rings");
    expect(finding?.words).toContain(file);
  });

  test("what is no file at a configured name", async () => {
    mkdirSync(rings.path("cam"));
    const config = "sensors: [{ kind: rand-camera, name: cam }]";
    const { code, about } = await examined({ config });
    expect(about("the ring of cam")).toMatchObject([
      { state: "broken", words: `${rings.path("cam")} is no file` },
    ]);
    expect(code).toBe(1);
    rmdirSync(rings.path("cam"));
  });

  test.skipIf(process.geteuid?.() !== 0)("a ring and a lock of another user", async () => {
    const lock = `/dev/shm/.${prefix}.theirs.lock`;
    for (const path of [rings.path("theirs"), lock]) {
      writeFileSync(path, "");
      chownSync(path, 65534, 65534);
    }
    const config = "sensors: [{ kind: rand-camera, name: theirs }]";
    const { code, about } = await examined({ config });
    expect(about("the ring of theirs")).toMatchObject([
      { state: "broken", words: `${rings.path("theirs")} belongs to uid 65534` },
      { state: "broken", words: `${lock} belongs to uid 65534` },
    ]);
    expect(code).toBe(1);
  });
});

describe("doorbells and the port", () => {
  test("a folder that is a file, and one whose path is too long for a socket", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    const long = join(directory, "x".repeat(80));
    const cases = [
      [file, `${file} is no folder`],
      [long, "has more than 107 bytes"],
    ] as const;
    for (const [folder, words] of cases) {
      const { code, about } = await examined({ env: { STREAMEM_DIR: folder } });
      expect(about("doorbell folder")).toMatchObject([
        {
          state: "broken",
          words: expect.stringContaining(words),
          remedy: expect.stringMatching(/^Set STREAMEM_DIR/),
        },
      ]);
      expect(code).toBe(1);
    }
  });

  test("a port that is taken: by whom, and which flag helps", async () => {
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("no") });
    const { port } = other;
    const { code, about } = await examined({ flags: ["--port", String(port)] });
    await other.stop(true);
    const [finding] = about("port");
    expect(finding?.words).toStartWith(`Port ${port} is taken by process ${process.pid}`);
    expect(finding?.remedy).toContain("--port");
    expect(code).toBe(1);
  });

  test("a group that this machine does not have, and one that it has", async () => {
    const { code } = await examined({ config: "group: no-such-group-here" });
    expect(code).toBe(1);
    const { about } = await examined({ config: "group: root" });
    if (process.geteuid?.() === 0) expect(about("group")).toMatchObject([{ state: "ok" }]);
  });
});

describe("the planned size is the real one:", () => {
  const pose: StreamSpec = {
    kind: "pose",
    dtype: "<f8",
    shape: [7],
    fields: [{ name: "valid", dtype: "|u1", offset: 0 }],
  };
  const specs: [string, StreamSpec, number | undefined][] = [
    ["a small picture", camera, undefined],
    ["a page and more", { ...camera, shape: [480, 640, 3] }, 5],
    ["messages", { kind: "message", dtype: "|u1", shape: [1], encoding: "json" }, 16],
    ["fields", pose, undefined],
  ];
  test.each(specs)("%s", (label, spec, slots) => {
    const writer = rings.writer(label.replaceAll(" ", "-"), spec, slots ? { slots } : {});
    const { size } = Bun.file(writer.descriptor.shm.path);
    expect(plannedBytes(spec, slots)).toBe(size);
  });

  test("unknown where a device says it only when it runs", () => {
    expect(plannedBytes({ kind: "video" })).toBeNull();
  });
});
