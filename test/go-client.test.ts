// The Go client: that it compiles where it should, is tidy, its own tests, which need only its folder, and what needs others:
// a writer with a doorbell, a reader that is told of the end.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { openReader } from "../src/ring.ts";
import { go, goFolder, goProgram, runGo } from "./go-programs.ts";
import { isRoot, Talk } from "./ring-programs.ts";
import { camera, TestRings, until } from "./rings.ts";
import { skipping } from "./skipping.ts";

const HANG_MS = 280_000; // only so that a run that hangs is ended
const rings = new TestRings("go");
afterAll(() => rings.close());
const env = rings.environment;

describe.skipIf(!go)("the Go client", () => {
  // The fences of arm64 are assembly, which `go vet` holds against their declarations.
  test.each(["amd64", "arm64"])(
    "builds for %s, and vet has nothing to say",
    (GOARCH) => {
      runGo(["build", "-o", "/dev/null", "./..."], { GOARCH, CGO_ENABLED: "0" });
      runGo(["vet", "./..."], { GOARCH, CGO_ENABLED: "0" });
    },
    HANG_MS,
  );

  test("is formatted, and needs nothing but x/sys", async () => {
    const gofmt = Bun.which("gofmt") ?? `${runGo(["env", "GOROOT"]).trim()}/bin/gofmt`;
    expect(Bun.spawnSync([gofmt, "-l", "."], { cwd: goFolder }).stdout.toString()).toBe("");
    const modules = runGo(["list", "-m", "-f", "{{.Path}}", "all"]).trim().split("\n");
    expect(modules).toEqual(["streamem", "golang.org/x/sys"]);
  });

  test(
    "passes its own tests",
    () => {
      const words = runGo(["test", "-count=1", "-v", "."]);
      expect(words).toContain("--- PASS: TestTornFrames");
      if (isRoot) expect(words).not.toContain("--- SKIP");
    },
    HANG_MS,
  );
});

describe.skipIf(!go)("a Go reader's descriptor", () => {
  async function follows(name: string, before: string[]): Promise<void> {
    const writer = rings.writer(name, camera);
    const reader = new Talk([...before, goProgram("programs/follow_fd"), name, "40"], env);
    await until(() => writer.doorbellReaders === 1);
    for (let n = 1; n <= 40; n++) {
      if (n === 21) writer.renew();
      const seq = writer.publish(new Uint8Array(72));
      expect(await reader.line()).toBe(`${writer.generation} ${seq}`);
    }
    await reader.child.exited;
    expect(reader.child.exitCode).toBe(0);
    await until(() => writer.doorbellReaders === 0);
  }

  test("rings at each frame, through the doorbell, and follows to the next generation", async () => {
    await follows("bell", []);
  });

  if (!isRoot) skipping("a Go reader in a container without the writer's /dev/shm", "not root");
  test.skipIf(!isRoot || !Bun.which("unshare"))("does so where there is no /dev/shm", async () => {
    const script = 'mount -t tmpfs none /dev/shm && exec "$@"';
    await follows("guest", ["unshare", "-m", "sh", "-c", script, "sh"]);
  });
});

describe.skipIf(!go)("the Go sample", () => {
  test("publish is read by others, and ends in order when it is asked to", async () => {
    const writer = new Talk([goProgram("samples/publish"), "p", "1000"], env);
    expect(await writer.line()).toBe("published 1");
    using reader = await openReader("p", { prefix: rings.prefix });
    // It publishes 10 a second, and a reader begins with the newest: not with the first, where it came late.
    const first = await reader.next();
    const n = Number(first?.seq);
    expect(first?.message).toEqual({ n });
    expect((await reader.next())?.message).toEqual({ n: n + 1 });
    expect(reader.state).toBe("live");
    await writer.kill("SIGTERM");
    expect(writer.child.exitCode).toBe(0);
    expect([reader.state, existsSync(rings.path("p"))]).toEqual(["retired", false]);
  });
});
