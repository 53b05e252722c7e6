/**
 * The example without a camera, by the README's own two lines: sender, hub, and a Python program with nothing but the
 * client's one file (and NumPy) that reads both rings; the API and `ndi ls` beside it, on the same network.
 *
 * To see it fail: give another `source` in the example, or the sound another shape in receiving/sound.ts.
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NdiLines } from "./ndi-lines.ts";
import { NdiNetwork, ndiEnvironment, ndiFolder, ownName } from "./ndi-network.ts";
import { TestRings, until } from "./rings.ts";

const root = join(import.meta.dir, "..");
const python = Bun.which("python3") ?? "python3";
const hasNumpy = Bun.spawnSync([python, "-c", "import numpy"]).success;

interface Seen {
  name: string;
  dtype: string;
  shape: number[];
  fields: string[];
  age_ns: number;
  error_ns: number | null;
}

interface Answer {
  status: number;
  body: { sources: { name: string }[]; library: { version: string }; detail?: string };
}

/** What the README says for a terminal: the words behind `streamem`, in the order of the lines. */
function commands(): string[][] {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const lines = [...text.matchAll(/^bun run (?:streamem )?(.*)$/gm)].map(
    ([, words]) => words ?? "",
  );
  return lines.filter((line) => /ndi/.test(line)).map((line) => line.split(" "));
}

describe.skipIf(ndiFolder === null || !hasNumpy)("the example without a camera", () => {
  const rings = new TestRings("ndi-whole");
  const started: NdiLines[] = [];
  let network: NdiNetwork | null = null;
  afterEach(() => Promise.all(started.splice(0).map((program) => program.end())));
  afterAll(async () => {
    await network?.close();
    await rings.close();
  });

  test("gives both rings to Python, with the ancestor's shapes; the API lists the source", async () => {
    network = await NdiNetwork.open();
    const [simulate = [], hub = []] = commands();
    expect(simulate.slice(0, 2)).toEqual(["simulate", "ndi"]);
    expect(hub.slice(0, 2)).toEqual(["hub", "--config"]);
    const named = simulate.map((word) => (word === "MEVO-SIM" ? ownName(word) : word));
    const sender = run(network, ...named);
    await sender.until<{ event: string }>(({ event }) => event === "listening");
    const running = run(network, ...hub, "--port", "0");
    const { url } = await running.until<{ event: string; url: string }>(
      ({ event }) => event === "started",
    );

    const seen = await framesOf(rings, ["mevo.video", "mevo.audio"]);
    expect(seen).toMatchObject([
      { dtype: "|u1", shape: [1080, 1920, 3], error_ns: null },
      { dtype: "<f4", shape: [2, 1024], error_ns: null },
    ]);
    for (const { fields, age_ns } of seen) {
      expect(fields).toContain("arrival_time_ns");
      expect(age_ns).toBeGreaterThan(0);
      expect(age_ns).toBeLessThan(60e9); // of this machine's clock
    }

    const sources = `${url}/api/v1/ndi/sources?waitMs=500`;
    const found = await until(async () => {
      const answer = await get(network as NdiNetwork, sources);
      expect(answer.status).toBe(200);
      return answer.body.sources.length > 0 && answer; // half a second is too short where the machine is busy
    });
    expect(found.body.sources.map(({ name }) => name)).toEqual([
      expect.stringContaining(ownName("MEVO-SIM")),
    ]);
    expect(found.body.library.version).toContain("NDI SDK");
    for (const wait of ["5", "soon", "20000", "1.5"]) {
      const refused = await get(network, `${url}/api/v1/ndi/sources?waitMs=${wait}`);
      expect(refused.status).toBe(400);
      expect(refused.body.detail).toContain("from 100 to 10000");
    }
    expect(await running.end("SIGTERM")).toBe(0);
    expect(await sender.end("SIGTERM")).toBe(0);
  });

  function run(network: NdiNetwork, ...words: string[]): NdiLines {
    const { STREAMEM_PREFIX, STREAMEM_DIR } = rings.environment;
    const main = join(root, "src/main.ts");
    const program = new NdiLines(
      network,
      { STREAMEM_PREFIX, STREAMEM_DIR },
      main,
      ...words,
      "--json",
    );
    started.push(program);
    return program;
  }
});

/** By a program in that network. */
async function get(network: NdiNetwork, url: string): Promise<Answer> {
  const script =
    "const answer = await fetch(process.argv[1]); console.log(JSON.stringify({ status: answer.status, body: await answer.json() }));";
  const child = Bun.spawn(network.command(process.execPath, "-e", script, url), {
    env: ndiEnvironment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await new Response(child.stdout).text());
}

async function framesOf(rings: TestRings, streams: string[]): Promise<Seen[]> {
  const reader = join(import.meta.dir, "fixtures/read-streams.py");
  const client = join(root, "clients/python/streamem.py");
  const child = Bun.spawn([python, reader, client, ...streams], {
    env: rings.environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = (await new Response(child.stdout).text()).trimEnd().split("\n");
  expect(await child.exited).toBe(0);
  return lines.map((line) => JSON.parse(line) as Seen);
}
