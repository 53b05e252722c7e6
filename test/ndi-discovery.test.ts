/**
 * Which NDI sources there are: by real announcements (mDNS), by libndi, for people, programs and the sensor.
 *
 * To see these fail: in discovery/announcements.ts forget the groups, or the listener of errors; in discovery/search.ts
 * leave out the own machine, or `hearing?.renew()`.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { foundSource } from "../sensors/ndi/discovery/announcements.ts";
import { NdiLines } from "./ndi-lines.ts";
import { type NdiNetwork, ndiEnvironment, ndiFolder, ownName } from "./ndi-network.ts";
import { NdiRig } from "./ndi-sensor.ts";
import { until } from "./rings.ts";

const main = join(import.meta.dir, "../src/main.ts");

describe("what an announcement says", () => {
  const service = {
    fqdn: "MEVO-24V3K (Mevo v1.2)._ndi._tcp.local",
    port: 5961,
    addresses: ["192.168.1.50"],
    referer: { address: "192.168.1.50", family: "IPv4" as const, port: 5353, size: 100 },
    txt: { groups: "public,studio" },
  };

  test("a name may have dots", () => {
    expect(foundSource(service, ["public"])).toEqual({
      name: "MEVO-24V3K (Mevo v1.2)",
      address: "192.168.1.50:5961",
    });
  });

  test.each([
    [["studio"], "public,studio", true],
    [["other", "studio"], "public,studio", true],
    [["other"], "public,studio", false],
    [["public"], undefined, true],
    [["studio"], undefined, false],
  ])("groups %p hear of a source in %p: %p", (groups, own, isHeard) => {
    expect(foundSource({ ...service, txt: { groups: own } }, groups) !== null).toBe(isHeard);
  });

  test.each([
    ["which the packet came from", ["10.0.0.1", "192.168.1.50"], "192.168.1.50"],
    ["of its own, where another passed it on", ["10.0.0.1", "fe80::1"], "10.0.0.1"],
    ["which the packet came from, where it names none", [], "192.168.1.50"],
    ["which the packet came from, where it names no IPv4", ["fe80::1"], "192.168.1.50"],
  ])("the address is the one %s", (_, addresses, host) => {
    expect(foundSource({ ...service, addresses }, ["public"])?.address).toBe(`${host}:5961`);
  });

  test("without a place it is none", () => {
    expect(foundSource({ ...service, addresses: [], referer: undefined }, ["public"])).toBeNull();
    expect(foundSource({ ...service, port: 0 }, ["public"])).toBeNull();
    expect(foundSource({ ...service, fqdn: "._ndi._tcp.local" }, ["public"])).toBeNull();
  });
});

interface Found {
  sources: { name: string; address: string }[];
  library: { version: string; path: string } | null;
  problems: string[];
}

describe.skipIf(ndiFolder === null)("on a network", () => {
  const rig = new NdiRig("ndi-discovery");
  let network: NdiNetwork;
  const announcers: NdiLines[] = [];

  beforeAll(async () => {
    network = await rig.network();
  });
  afterEach(async () => {
    await rig.end();
    await Promise.all(announcers.splice(0).map((announcer) => announcer.end()));
  });
  afterAll(() => rig.close());

  async function announced(...words: string[]): Promise<NdiLines> {
    const program = join(import.meta.dir, "fixtures/ndi-announcer.ts");
    const announcer = new NdiLines(network, {}, program, ...words);
    announcers.push(announcer);
    await announcer.until(() => true);
    return announcer;
  }

  async function list(words: string[], env: Record<string, string | undefined> = {}) {
    const command = [process.execPath, main, "ndi", "ls", ...words];
    const child = Bun.spawn(network.command(...command), {
      cwd: "/", // where no streamem.yaml is
      env: { ...ndiEnvironment, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code: await child.exited, stdout, stderr };
  }

  /** Lists again until so many sources are heard: they answer when they get their turn, which may be after the second. */
  const found = (count: number, words: string[] = [], env = {}): Promise<Found> =>
    until(async () => {
      const { stdout } = await list(["--json", "--wait-s", "1", ...words], env);
      const listed: Found = JSON.parse(stdout);
      return listed.sources.length >= count && listed;
    });

  test("announced sources are listed, of the groups that are asked for", async () => {
    await announced(
      "CAM (One)",
      "5971",
      "public",
      "CAM (Two)",
      "5972",
      "studio",
      "CAM (3)",
      "5973",
      "-",
    );
    const one = { name: "CAM (One)", address: "127.0.0.1:5971" };
    const three = { name: "CAM (3)", address: "127.0.0.1:5973" };
    expect(await found(2)).toMatchObject({ sources: [three, one], problems: [] });
    const both = await found(1, ["--group", "studio"]);
    expect(both.sources).toEqual([{ name: "CAM (Two)", address: "127.0.0.1:5972" }]);
  });

  test("without libndi too, which is said", async () => {
    await announced("CAM (One)", "5971", "public");
    const { sources, library, problems } = await found(1, [], { NDI_RUNTIME_DIR_V6: undefined });
    expect(sources).toHaveLength(1);
    expect(library).toBeNull();
    expect(problems).toEqual([expect.stringContaining("NDI library not found. Tried: ")]);
  });

  test("what this machine sends is found, announced or not, and other hosts when asked", async () => {
    const { name, address } = await rig.sender(ownName("One"), "--size", "64x64");
    const { sources, library } = await found(1);
    expect(sources).toEqual([{ name, address }]);
    expect(library?.version).toContain("NDI SDK");
    const { code, stdout } = await until(async () => {
      const listed = await list(["--wait-s", "1", "--ip", "127.0.0.2"]);
      return listed.stdout !== "" && listed;
    });
    expect(stdout).toMatch(/^source +address\n/);
    expect(stdout).toMatch(/127\.0\.0\.[12]:\d+\n$/);
    expect(code).toBe(0);
  });

  test("a port 5353 that another program keeps for itself: in words, and the rest goes on", async () => {
    const keep = "require('dgram').createSocket('udp4').bind(5353, () => console.log('{}'))";
    const keeper = new NdiLines(network, {}, "-e", keep);
    announcers.push(keeper);
    await keeper.until(() => true);
    const { problems } = await found(0);
    expect(problems).toEqual([expect.stringContaining("(mDNS, UDP 5353) are not heard: ")]);
  });

  test("nobody there: in words, with what to do", async () => {
    const { code, stdout, stderr } = await list(["--wait-s", "0.3"]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("no NDI source within reach. --ip asks a host");
  });

  test("a wrong time is refused in words", async () => {
    const { code, stderr } = await list(["--wait-s", "soon"]);
    expect(code).toBe(2);
    expect(stderr).toContain("0.1 to 60");
  });

  test("a sensor receives an announced source, and says meanwhile what it saw", async () => {
    // Of a group that libndi's own search leaves out: only the announcement leads there.
    const sender = await rig.sender(ownName("Hidden"), "--size", "64x64", "--group", "studio");
    const sensor = await rig.sensor({ source: ["mevo", "v1"] });
    const other = await announced("CAM (Two)", "5972", "public");
    const waiting = await sensor.until(({ words }) => words?.includes("CAM (Two)") ?? false);
    expect(waiting.state).toBe("connecting");
    expect(waiting.words).toContain('"mevo" and "v1"');
    const port = sender.address.split(":")[1] ?? "";
    await announced("MEVO-1 (Mevo v1-2)", port, "public");
    const reader = await sensor.reader();
    const frame = await reader.newest({ timeoutMs: 30_000 });
    expect(frame?.shape).toEqual([64, 64, 3]);
    await other.end("SIGTERM");
  });
});
