/**
 * Where libndi is looked for, and what is said where it is not there: on machines that have none, so that this is never
 * skipped.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { candidates } from "../sensors/ndi/libndi/load.ts";
import { ndiFolder } from "./ndi-network.ts";
import { skipping } from "./skipping.ts";

const root = join(import.meta.dir, "..");
const program = join(import.meta.dir, "fixtures/load-ndi.ts");
const folder = mkdtempSync(join(tmpdir(), "streamem-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const none = { NDI_RUNTIME_DIR_V6: undefined, NDI_RUNTIME_DIR_V5: undefined };

/** In a process of its own: a library that is loaded stays. */
function loading(
  library: string,
  env: Record<string, string | undefined>,
  wrapper: string[] = [],
  loader = program,
) {
  const done = Bun.spawnSync([...wrapper, process.execPath, loader, library], {
    cwd: folder,
    env: { ...process.env, ...none, ...env },
  });
  return { said: done.stdout.toString().trim(), errors: done.stderr.toString() };
}

const remedy =
  "Install the NDI SDK from ndi.video, set NDI_RUNTIME_DIR_V6 to its folder, or for a trial: bun add -d @grandi/linux-x64";

// Where a libndi is installed for the whole machine these would find it.
const isInstalled = loading("", {}).said.startsWith("{");
if (isInstalled) skipping("the words about a missing libndi", "this machine has one installed");

describe.skipIf(isInstalled)("where there is none", () => {
  test("every path is named that was tried, in order, and what to do", () => {
    const file = join(folder, "nowhere.so");
    const { said } = loading(file, { NDI_RUNTIME_DIR_V6: "/six", NDI_RUNTIME_DIR_V5: "/five" });
    const tried = `${file}, /six/libndi.so.6, /five/libndi.so.5, libndi.so.6`;
    expect(said).toBe(`NDI library not found. Tried: ${tried}. ${remedy}`);
  });

  test("a folder as library", () => {
    const { said } = loading(folder, {});
    const tried = `${folder}/libndi.so.6, ${folder}/libndi.so.5, libndi.so.6`;
    expect(said).toBe(`NDI library not found. Tried: ${tried}. ${remedy}`);
  });

  test("a file that is no library: the loader's words", () => {
    const file = join(folder, "text.so");
    writeFileSync(file, "no library at all, only words");
    expect(loading(file, {}).said).toContain(`Tried: ${file} (${file}: `);
  });

  // Open bare names by Bun's own dlopen: it takes this one.
  test("a file of that name in the current folder is not taken", () => {
    const libc = Bun.spawnSync(["sh", "-c", "ls /lib*/*/libc.so.6 /lib*/libc.so.6 | head -n 1"]);
    symlinkSync(libc.stdout.toString().trim(), join(folder, "libndi.so.6"));
    expect(loading("", {}).said).toBe(`NDI library not found. Tried: libndi.so.6. ${remedy}`);
    rmSync(join(folder, "libndi.so.6"));
  });
});

test("another library is refused by the name of the function that it lacks", () => {
  const libc = Bun.spawnSync(["sh", "-c", "ls /lib*/*/libm.so.6 /lib*/libm.so.6 | head -n 1"]);
  const file = libc.stdout.toString().trim();
  expect(loading(file, {}).said).toContain(`NDI library ${file} is too old, or another library`);
});

const compiler = Bun.which("cc");
if (!compiler) skipping("a processor that libndi refuses", "there is no compiler");

/** A libndi of ours that has every function and says no. */
test.skipIf(!compiler)("a processor that it does not run on", async () => {
  const table = await Bun.file(join(root, "sensors/ndi/libndi/symbols.ts")).text();
  const names = [...table.matchAll(/^ {2}(NDIlib_\w+):/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(20);
  const [source, file] = [join(folder, "refusing.c"), join(folder, "refusing.so")];
  writeFileSync(source, names.map((name) => `int ${name}(void) { return 0; }`).join("\n"));
  expect(Bun.spawnSync([compiler ?? "", "-shared", "-fPIC", "-o", file, source]).exitCode).toBe(0);
  const { said } = loading(file, {});
  expect(said).toContain("NDIlib_initialize failed. It needs SSE4.2");
});

describe("the order", () => {
  test("the configuration, the variables, the system", () => {
    const environment = { NDI_RUNTIME_DIR_V6: "/six", NDI_RUNTIME_DIR_V5: "/five" };
    expect(candidates("/a.so", environment).slice(0, 4)).toEqual([
      "/a.so",
      "/six/libndi.so.6",
      "/five/libndi.so.5",
      "libndi.so.6",
    ]);
    expect(candidates(undefined, {}).slice(0, 1)).toEqual(["libndi.so.6"]);
  });
});

describe.skipIf(ndiFolder === null)("where there is one", () => {
  const real = ndiFolder ?? "";
  const path = `${real}/libndi.so.6`;

  test("by its folder, its file and each variable: version and place are told", () => {
    const five = join(folder, "five");
    mkdirSync(five);
    symlinkSync(path, join(five, "libndi.so.5"));
    for (const { said } of [
      loading(real, {}),
      loading(path, {}),
      loading("", { NDI_RUNTIME_DIR_V6: real }),
    ]) {
      expect(JSON.parse(said)).toEqual({ path, version: expect.stringContaining("NDI SDK LINUX") });
    }
    const { said } = loading("", { NDI_RUNTIME_DIR_V5: five });
    expect(JSON.parse(said).path).toBe(join(five, "libndi.so.5"));
  });

  test("by the loader's own search, whose place is told", () => {
    const { said } = loading("", { LD_LIBRARY_PATH: real });
    expect(JSON.parse(said).path).toBe(path);
  });

  test("in an installed package, last", () => {
    const project = join(folder, "project");
    const packages = join(project, "node_modules/@grandi");
    mkdirSync(packages, { recursive: true });
    symlinkSync(real, join(packages, `linux-${process.arch}`));
    cpSync(join(root, "sensors/ndi/libndi"), join(project, "sensors/ndi/libndi"), {
      recursive: true,
    });
    cpSync(program, join(project, "test/fixtures/load-ndi.ts"));
    const { said } = loading("", {}, [], join(project, "test/fixtures/load-ndi.ts"));
    expect(JSON.parse(said).path).toEndWith("libndi.so.6");
  });

  const withoutAvahi = [join(import.meta.dir, "fixtures/without-avahi.sh"), join(folder, "lib")];
  const canHide = Bun.spawnSync(["unshare", "-rm", "sh", ...withoutAvahi, "true"]).success;
  if (!canHide) skipping("a machine without libavahi-client3", "it takes unshare and mount");

  // Drop missingAvahi from load.ts: then it is "not found", though it is there.
  test.skipIf(!canHide)("without libavahi-client3: that is what is asked for", () => {
    const wrapper = ["unshare", "-rm", "sh", ...withoutAvahi];
    const { said } = loading(real, {}, wrapper);
    expect(said).toStartWith(`NDI library found, but it cannot be loaded: ${path} (libavahi-`);
    expect(said).toContain("apt-get install libavahi-client3");
  });
});
