import { afterAll, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestRings, until } from "./rings.ts";

const rings = new TestRings("cli-hub");
const { prefix, directory } = rings;
afterAll(() => rings.close());

function ours(): string[] {
  return readdirSync("/dev/shm").filter((file) => file.replace(/^\./, "").startsWith(`${prefix}.`));
}

// Ctrl-C under `npx bun run hub`: the terminal tells everybody, and npm passes it on. To see it fail, let
// the hub end at once at any second signal.
test("two signals at once are one request: the hub still tidies up", async () => {
  const config = join(directory, "hub.yaml");
  writeFileSync(config, "sensors: [{ kind: rand-camera, name: cam, width: 64, height: 48 }]");
  const words = ["hub", "--json", "--port", "0", "--prefix", prefix, "--config", config];
  const main = join(import.meta.dir, "../src/main.ts");
  const hub = Bun.spawn([process.execPath, main, ...words], {
    env: { ...process.env, STREAMEM_DIR: directory },
    stdio: ["ignore", "pipe", "ignore"],
  });
  await hub.stdout.getReader().read();
  await until(() => ours().length > 0); // it waits 3 s at most for a sensor before it says that it runs
  hub.kill("SIGSTOP"); // so that it finds both at once, however long this process is without CPU in between
  hub.kill("SIGINT");
  hub.kill("SIGTERM"); // the same twice could be one in the kernel already
  hub.kill("SIGCONT");
  expect(await hub.exited).toBe(0);
  expect(ours()).toEqual([]);
});
