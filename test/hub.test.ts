/** The whole hub as a user starts it: `streamem hub` in a process of its own, with its sensors. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWriter, openReader } from "../src/ring.ts";
import { readOutput } from "../src/supervisor/sensor-output.ts";

const prefix = `t${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), "streamem-"));
const main = new URL("../src/main.ts", import.meta.url).pathname;
const small = `
sensors:
  - { kind: rand-camera, name: cam, width: 64, height: 48, fps: 100 }
  - { kind: rand-microphone, name: mic }
`;

interface Started {
  url: string;
  prefix: string;
  streams: { name: string; shape: number[] | null; words: string | null; read: string }[];
}

/** After so long the hub says what it has, whether its sensors run or not: see src/startup.ts. */
const patienceMs = 3000;

const hubs: Bun.Subprocess[] = [];

/** @param config the text of its streamem.yaml; without it there is none */
function spawnHub(config: string | null, flags: string[] = [], environment: object = {}) {
  const cwd = mkdtempSync(join(tmpdir(), "streamem-"));
  if (config !== null) writeFileSync(join(cwd, "streamem.yaml"), config);
  const own = Bun.spawn(
    // setsid: a process group of its own, as a terminal gives it
    [
      "setsid",
      process.execPath,
      main,
      "hub",
      "--json",
      "--port",
      "0",
      "--prefix",
      prefix,
      ...flags,
    ],
    {
      cwd,
      env: { ...process.env, STREAMEM_DIR: directory, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const log: string[] = [];
  const drained = readOutput([own.stderr], (line) => log.push(line)).drained;
  const firstLine = (async () => {
    for await (const chunk of own.stdout) return JSON.parse(new TextDecoder().decode(chunk));
  })() as Promise<Started>;
  /** It may say that it has started before a slow machine has its sensors running. */
  const running = async () => {
    const started = await firstLine;
    await until(async () => {
      const { sensors } = await (await fetch(`${started.url}/api/v1/sensors`)).json();
      return sensors.every(({ state }: { state: string }) => state === "running");
    });
    return started;
  };
  const ended = async () => {
    await own.exited;
    await drained;
    return { code: own.exitCode, signal: own.signalCode, log: log.join("\n") };
  };
  const hub = { process: own, pid: own.pid, started: firstLine, running, log, ended };
  hubs.push(own);
  return hub;
}

afterEach(async () => {
  for (const hub of hubs.splice(0)) {
    hub.kill("SIGTERM");
    await hub.exited;
  }
});

function leftovers(): string[] {
  const named = (file: string) => file.startsWith(`${prefix}.`) || file.startsWith(`.${prefix}.`);
  return [...readdirSync("/dev/shm"), ...readdirSync(directory)].filter(named);
}

function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(pid)]);
  return stdout.toString().trim().split(/\s+/).filter(Boolean).map(Number);
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await Bun.sleep(10);
}

const gone = (pids: number[]) => until(() => !pids.some(runs));

/** An orphan that has ended is a zombie until somebody reaps it, which containers do not always do. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("start", () => {
  test("without a config: the two streams of the default, and lines to paste", async () => {
    const spawnedMs = performance.now();
    const hub = spawnHub(null);
    const { streams, url, ...rest } = await hub.started;
    const isLate = performance.now() - spawnedMs > patienceMs;
    expect(rest.prefix).toBe(prefix);
    expect(streams).toMatchObject([
      { name: "rand-camera", shape: [720, 1280, 3] },
      { name: "rand-microphone", shape: [2, 1024] },
    ]);
    for (const { words } of streams) {
      if (isLate && words !== null) expect(words).toBe("starting: no frame yet");
      else expect(words).toBeNull();
    }
    expect(streams[0]?.read).toMatch(/^STREAMEM_PREFIX=t\d+ python3 .*streamem\.py rand-camera$/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test("the table for people has the line that reads each stream", async () => {
    const spawnedMs = performance.now();
    const hub = Bun.spawn([process.execPath, main, "hub", "--port", "0", "--prefix", prefix], {
      cwd: directory,
      env: { ...process.env, STREAMEM_DIR: directory },
      stdout: "pipe",
    });
    let text = "";
    for await (const chunk of hub.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("Ctrl-C")) break;
    }
    const isLate = performance.now() - spawnedMs > patienceMs;
    hub.kill("SIGTERM");
    await hub.exited;
    const [, end] =
      /rand-camera +uint8 \(720, 1280, 3\) +30 \/s +82\.9 MB\/s +(.*)/.exec(text) ?? [];
    if (isLate && end?.startsWith("starting")) expect(end).toBe("starting: no frame yet");
    else expect(end).toStartWith("STREAMEM_PREFIX");
    expect(text).toMatch(/rand-microphone +float32 \(2, 1024\) +46\.9 \/s +384 kB\/s/);
  });

  test("the line to paste reads a frame", async () => {
    const hub = spawnHub(small);
    const { streams } = await hub.running();
    const read = Bun.spawn(
      ["sh", "-c", `exec ${streams[0]?.read.replace(/^(\w+=\w+) /, "env $1 ")}`],
      {
        env: { ...process.env, STREAMEM_DIR: directory },
        stdout: "pipe",
      },
    );
    let text = "";
    for await (const chunk of read.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("\n")) break;
    }
    read.kill();
    await read.exited;
    expect(text).toContain("48");
  });

  test("the environment gives the prefix where no flag does", async () => {
    const hub = spawnHub("prefix: of-the-file\n", [], { STREAMEM_PREFIX: "of-the-environment" });
    expect((await hub.started).prefix).toBe(prefix);
    const cwd = mkdtempSync(join(tmpdir(), "streamem-"));
    const bad = Bun.spawnSync([process.execPath, main, "hub", "--port", "0"], {
      cwd,
      env: { ...process.env, STREAMEM_PREFIX: "with.dot" },
    });
    expect(bad.exitCode).toBe(2);
    expect(bad.stderr.toString()).toContain('STREAMEM_PREFIX is "with.dot"; allowed: 1 to 32 of');
  });
});

describe("a start that is refused", () => {
  test("a wrong config: exit code 2, with file, line, column, and no sensor was started", async () => {
    const hub = spawnHub("sensors:\n  - { kind: rand-camera, name: cam, fps: 0, colour: red }\n");
    const { code, log } = await hub.ended();
    expect(code).toBe(2);
    const fps = { file: "streamem.yaml", line: 2, column: 42, path: "sensors[0].fps" };
    expect(await hub.started).toMatchObject({ event: "refused", problems: [fps, { line: 2 }] });
    expect(log).toBe(
      [
        "streamem.yaml:2:42: sensors[0].fps: is 0; allowed: a number from 0.001 to 1000",
        "streamem.yaml:2:45: sensors[0].colour: is not a known key; allowed here: kind, name, slots, width, height, fps",
      ].join("\n"),
    );
    expect(leftovers()).toEqual([]);
  });

  test("a file that is not there, a flag that is none, a port that is none: exit code 2", async () => {
    for (const flags of [["--config", "none.yaml"], ["--colour"], ["--port", "99999"]]) {
      expect((await spawnHub(small, flags).ended()).code).toBe(2);
    }
  });

  // To see it fail: start the sensors before listen() in startHub().
  test("the port is taken: by whom and which flag helps; nothing was started", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
    const port = other.port; // forgotten once it is stopped
    const { code, log } = await spawnHub(small, ["--port", String(port)]).ended();
    await other.stop(true);
    expect(code).toBe(1);
    expect(log).toContain(`Port ${port} is taken by process ${process.pid} (`);
    expect(log).toContain("--port");
    expect(leftovers()).toEqual([]);
  });

  test("no folder for the doorbells", async () => {
    const missing = join(directory, "none", "deeper");
    const { code, log } = await spawnHub(small, [], { STREAMEM_DIR: missing }).ended();
    expect(code).toBe(1);
    expect(log).toContain(`no folder for the doorbell sockets: ${missing} cannot be made (ENOENT)`);
  });

  test("an address of another machine", async () => {
    const { code, log } = await spawnHub(small, ["--host", "192.0.2.1"]).ended();
    expect(code).toBe(1);
    expect(log).toContain('"192.0.2.1" is no address of this machine. Choose one with --host');
  });
});

describe("end", () => {
  // To see these fail: take the close() of the supervisor out of the hub's.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal}: sensors end, rings are retired and unlinked, nothing is left`, async () => {
      const hub = spawnHub(small);
      await hub.running();
      const sensors = childrenOf(hub.pid);
      expect(sensors.length).toBe(2);
      const reader = await openReader("cam", { prefix });
      process.kill(hub.pid, signal);
      expect(await hub.ended()).toMatchObject({ code: 0, signal: null });
      // The hub goes last: who waits for it can rely on what is below.
      expect(sensors.filter(runs)).toEqual([]);
      expect(reader.state).toBe("retired");
      reader.close();
      expect(leftovers()).toEqual([]);
    });
  }

  test("Ctrl-C reaches the sensors too: still the hub ends them, in order", async () => {
    const hub = spawnHub(small);
    await hub.running();
    process.kill(-hub.pid, "SIGINT");
    const { code, log } = await hub.ended();
    expect(code).toBe(0);
    expect(log).not.toContain("starts again");
    expect(leftovers()).toEqual([]);
  });

  test("a sensor that was stopped with SIGSTOP does not keep it", async () => {
    const hub = spawnHub(small);
    await hub.running();
    const sensors = childrenOf(hub.pid);
    process.kill(sensors[0] as number, "SIGSTOP");
    process.kill(hub.pid, "SIGTERM");
    expect((await hub.ended()).code).toBe(0);
    await gone(sensors);
    expect(leftovers()).toEqual([]);
  });

  test("a signal in the middle of the start", async () => {
    const hub = spawnHub(small);
    await until(() => childrenOf(hub.pid).length > 0);
    process.kill(hub.pid, "SIGTERM");
    expect((await hub.ended()).code).toBe(0);
    expect(leftovers()).toEqual([]);
  });
});

describe("a hub that was killed", () => {
  // To see it fail: take endWithParent() out of sensor-process.ts, and its ear for "disconnect".
  test("its sensors end by themselves and clear away their rings", async () => {
    const hub = spawnHub(small);
    await hub.running();
    const sensors = childrenOf(hub.pid);
    process.kill(hub.pid, "SIGKILL");
    await hub.ended();
    await gone(sensors);
    expect(leftovers()).toEqual([]);
  });

  // To see it fail: take endWithParent() out of sensor-process.ts; no event loop hears anything here.
  test("takes along a sensor that is stuck in native code", async () => {
    const script = join(import.meta.dir, "fixtures/hub-with.ts");
    const hub = Bun.spawn([process.execPath, script, "stuck", prefix, directory], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let sensor = 0;
    for await (const chunk of hub.stdout) {
      sensor = Number(new TextDecoder().decode(chunk));
      break;
    }
    expect(runs(sensor)).toBe(true);
    hub.kill("SIGKILL");
    await gone([sensor]);
  });

  // To see it fail: take sweepPrefix() out of startHub().
  test("with its sensors at once: the next start clears away what is left, and says so", async () => {
    const hub = spawnHub(small);
    await hub.running();
    const reader = await openReader("mic", { prefix });
    const sensors = childrenOf(hub.pid);
    for (const pid of [hub.pid, ...sensors]) process.kill(pid, "SIGSTOP");
    for (const pid of [hub.pid, ...sensors]) process.kill(pid, "SIGKILL");
    await hub.ended();
    await gone(sensors);
    expect(leftovers().filter((file) => file.includes("cam")).length).toBe(3); // ring, lock, socket

    const next = spawnHub("sensors: []");
    await next.started;
    expect(leftovers()).toEqual([]);
    // Its words come by another pipe than that it has started: they may be read later.
    const words = "cleared away what a dead writer had left: cam, mic";
    await until(() => next.log.join("\n").includes(words));
    expect(reader.state).toBe("retired");
    reader.close();
  });

  test("what lives, or is another user's, is not cleared away", async () => {
    const spec = { kind: "tensor" as const, dtype: "|u1", shape: [8] };
    const mine = createWriter("mine", spec, { prefix, directory });
    const theirs = `/dev/shm/${prefix}.theirs`;
    const root = process.geteuid?.() === 0;
    if (root) {
      writeFileSync(theirs, "");
      chownSync(theirs, 65534, 65534);
    }
    const hub = spawnHub("sensors: []");
    await hub.started;
    expect(existsSync(`/dev/shm/${prefix}.mine`)).toBe(true);
    if (root) expect(statSync(theirs).uid).toBe(65534);
    hub.process.kill("SIGTERM");
    expect((await hub.ended()).log).not.toContain("cleared away");
    mine.close();
    if (root) Bun.spawnSync(["rm", theirs]);
  });
});

test("a group of the config may read, nobody else", async () => {
  const gid = process.getgid?.() ?? 0;
  const hub = spawnHub(`group: "${gid}"\n${small}`);
  await hub.running();
  const { mode, gid: owner } = statSync(`/dev/shm/${prefix}.cam`);
  expect([mode & 0o777, owner]).toEqual([0o640, gid]);
  expect(statSync(join(directory, `${prefix}.cam.sock`)).mode & 0o777).toBe(0o660);
  expect(statSync(`/dev/shm/.${prefix}.cam.lock`).mode & 0o777).toBe(0o600);
});

describe("two hubs", () => {
  test("of one prefix: the second says of each stream that it has a writer; the first goes on", async () => {
    const first = spawnHub(small);
    await first.running();
    const reader = await openReader("cam", { prefix });
    const { generation } = reader.descriptor.shm;
    const second = spawnHub(small);
    const { streams } = await second.started;
    await until(() => second.log.join().includes("has a writer already"));
    second.process.kill("SIGTERM");
    expect((await second.ended()).code).toBe(0);
    expect(streams.map((stream) => stream.name)).toEqual(["cam", "mic"]);
    expect((await reader.next({ timeoutMs: 10_000 }))?.generation).toBe(generation);
    await until(() => reader.state === "live"); // not while a slow machine lets it wait for a frame
    reader.close();
  });
});

test("a sensor that is killed disturbs neither the hub nor the other sensor", async () => {
  const hub = spawnHub(small);
  await hub.running();
  const mic = await openReader("mic", { prefix });
  const { generation } = mic.descriptor.shm;
  const cam = await openReader("cam", { prefix });
  const first = cam.descriptor.shm.generation;
  const camera = childrenOf(hub.pid).find((pid) =>
    Bun.spawnSync(["ps", "-o", "args=", String(pid)])
      .stdout.toString()
      .trim()
      .endsWith(" cam"),
  );
  process.kill(camera as number, "SIGKILL");
  // The reader meets the successor by itself, however long that takes to start.
  while (((await cam.next({ timeoutMs: 1000 }))?.generation ?? first) === first);
  expect((await mic.next({ timeoutMs: 10_000 }))?.generation).toBe(generation);
  await until(() => hub.log.join("\n").includes("was ended by SIGKILL"));
  cam.close();
  mic.close();
});
