// The Go client: that it compiles where it should, is tidy, and its own tests, which need only its folder.
import { describe, expect, test } from "bun:test";
import { go, goFolder, runGo } from "./go-programs.ts";

const HANG_MS = 280_000; // only so that a run that hangs is ended

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
});
