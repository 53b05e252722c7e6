// `streamem simulate hololens` as a user starts it: what it says, how it ends.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import { portOf } from "../sensors/hololens/simulator/server.ts";
import { streamem } from "./cli.ts";

const main = join(import.meta.dir, "../src/main.ts");
const offset = 28_100;
const usual = ["simulate", "hololens", "--ports", String(offset)];

function start(...words: string[]) {
  return Bun.spawn([process.execPath, main, ...usual, ...words], {
    cwd: "/",
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of output) {
    text += new TextDecoder().decode(piece);
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`says where it listens, serves, and ends at ${signal}, a client or not`, async () => {
    const simulator = start("--json", "--clock-drift-ppm", "-50", "--fault", "pv:stall:5@20");
    const said = JSON.parse(await firstLine(simulator.stdout));
    expect(said).toEqual({
      ...{ event: "listening", kind: "hololens", host: "127.0.0.1", ports: offset },
    });
    const socket = connect(portOf("spatial-input") + offset, "127.0.0.1");
    await new Promise((resolve) => socket.once("data", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    simulator.kill(signal);
    expect(await simulator.exited).toBe(0);
    await closed;
  });
}

test("in words: the line for streamem.yaml", async () => {
  const simulator = start();
  const output = new Response(simulator.stdout).text();
  const port = portOf("remote-configuration") + offset;
  await connected(port);
  simulator.kill("SIGTERM");
  expect(await simulator.exited).toBe(0);
  expect(await output).toContain(
    `- { kind: hololens, name: hl, host: 127.0.0.1, ports: ${offset} }`,
  );
});

async function connected(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await Bun.sleep(20);
  }
}

test("a port that is taken: whose it is, and which flag helps", async () => {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 3809 + offset, socket: { data() {} } });
  const { code, stderr } = await streamem(usual);
  taken.stop(true);
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${3809 + offset} is taken by process ${process.pid}`);
  expect(stderr).toContain("--ports");
});

const wrong = [
  [["--fault", "tv:stall"], "names no stream"],
  [["--fault", "pv:cut:3"], "has no value"],
  [["--ports", "-1"], "0 to 61000"],
  [["--clock-drift-ppm", "fast"], "a number of ppm"],
  [["--clock-offset-s", "-1e9"], "below 0"],
  [["--video", "/nowhere.mp4"], "There is no film"],
] as const;
for (const [words, why] of wrong) {
  test(`${words.join(" ")} is refused in words`, async () => {
    const { code, stderr } = await streamem([...usual, ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
}

test("an address that is none of this machine", async () => {
  const { code, stderr } = await streamem([...usual, "--host", "192.0.2.1"]);
  expect(code).toBe(1);
  expect(stderr).toContain("no address of this machine");
});

test("help names every fault", async () => {
  const { code, stdout } = await streamem(["simulate", "hololens", "--help"]);
  expect(code).toBe(0);
  for (const word of ["delay:ms", "drop-key-frame", "reboot:s", "--host"]) {
    expect(stdout).toContain(word);
  }
});
