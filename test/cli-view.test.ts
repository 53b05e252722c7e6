import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { streamem } from "./cli.ts";
import { TestRings, until } from "./rings.ts";

const rings = new TestRings("view");
const { prefix, directory } = rings;
const config = join(directory, "my.yaml");
let hub: Bun.Subprocess<"ignore", "pipe", "ignore">;
let url = "";
let port = "";

beforeAll(async () => {
  writeFileSync(
    config,
    `sensors:
      - { kind: rand-camera, name: cam, width: 64, height: 48, fps: 100 }
      - { kind: rand-microphone, name: mic }`,
  );
  const words = ["hub", "--json", "--port", "0", "--prefix", prefix, "--config", config];
  hub = Bun.spawn([process.execPath, join(import.meta.dir, "../src/main.ts"), ...words], {
    env: { ...process.env, STREAMEM_DIR: directory },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { value } = await hub.stdout.getReader().read();
  url = (JSON.parse(new TextDecoder().decode(value)) as { url: string }).url;
  port = new URL(url).port;
  // It waits 3 s at most for its sensors before it says that it runs.
  for (const name of ["cam", "mic"]) {
    await until(async () => (await fetch(`${url}/api/v1/streams/${name}/latest`)).ok);
  }
});

afterAll(async () => {
  hub.kill("SIGTERM");
  await hub.exited;
  await rings.close();
});

test("prints the address of a picture, where a JPEG is", async () => {
  const { code, stdout, stderr } = await streamem(["view", "cam", "--port", port]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(`${url}/api/v1/streams/cam/latest.jpg\n`);
  const answer = await fetch(stdout.trim());
  expect(answer.headers.get("content-type")).toBe("image/jpeg");
});

test("of what is no picture: the newest numbers, and a word about it", async () => {
  const { code, stdout, stderr } = await streamem(["view", "mic", "--port", port]);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: "mic is audio, not a picture: these are its newest numbers.\n",
  });
  expect(stdout).toBe(`${url}/api/v1/streams/mic/latest\n`);
  expect((await fetch(stdout.trim())).ok).toBe(true);
});

test("an unknown name: which there are", async () => {
  const { code, stdout, stderr } = await streamem(["view", "cma", "--port", port]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe(`There is no stream "cma" at ${url}; there are: cam, mic.\n`);
});

test("no hub there: how to start one, which flags", async () => {
  // The port of a connection's other end: nobody listens there, and nobody else is given it meanwhile.
  const socket = connect(Number(port), "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  const { code, stderr } = await streamem(["view", "cam", "--port", String(socket.localPort)]);
  socket.destroy();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^No hub answers at http:\/\/127\.0\.0\.1:\d+ \(ConnectionRefused|ECONN/);
  expect(stderr).toContain("--port");
});

test("on a desktop it is opened, with --print it is not", async () => {
  const opened = join(directory, "opened");
  writeFileSync(join(directory, "xdg-open"), `#!/bin/sh\nprintf '%s' "$1" > ${opened}\n`);
  chmodSync(join(directory, "xdg-open"), 0o755);
  const desktop = { PATH: `${directory}:${process.env.PATH}`, WAYLAND_DISPLAY: "wayland-0" };
  const words = ["view", "cam", "--port", port, "--json"];
  const address = `${url}/api/v1/streams/cam/latest.jpg`;

  const printed = await streamem([...words, "--print"], desktop);
  expect(JSON.parse(printed.stdout)).toEqual({ url: address, opened: false });
  const without = await streamem(words, { PATH: desktop.PATH });
  expect(JSON.parse(without.stdout)).toEqual({ url: address, opened: false });
  expect(existsSync(opened)).toBe(false);

  const { stdout } = await streamem(words, desktop);
  expect(JSON.parse(stdout)).toEqual({ url: address, opened: true });
  await until(() => existsSync(opened) && readFileSync(opened, "utf8") === address);
});
