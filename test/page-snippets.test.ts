/**
 * The code that the page gives to paste, run as it stands: saved under its name in a folder with streamem's
 * own, with the line that the page shows. To see these fail: misspell a verb in src/web/wall/snippets.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { StreamBody } from "../src/api/schemas.ts";
import type { RingWriter } from "../src/ring.ts";
import { type Snippet, snippetsFor } from "../src/web/wall/snippets.ts";
import { camera, TestRings } from "./rings.ts";

const root = join(import.meta.dir, "..");
const rings = new TestRings("snippets");
const folder = mkdtempSync(join(tmpdir(), "streamem-snippets-"));
let publishing: ReturnType<typeof setInterval>;
const writers: RingWriter[] = [];

/** What each needs beside Bun. */
const needs: Record<string, string> = {
  Python: "python3",
  C: "cc",
  TypeScript: "bun",
  Rust: "cargo",
  Go: "go",
  Node: "node",
};

const named = (name: string, kind: StreamBody["kind"]) => ({
  name,
  kind,
  shm: { object: `/${rings.prefix}.${name}`, payloadCapacity: 1024 } as StreamBody["shm"],
});

beforeAll(() => {
  for (const name of ["src", "native", "node_modules", "tsconfig.json", "package.json"]) {
    symlinkSync(join(root, name), join(folder, name));
  }
  // Programs are saved among them.
  cpSync(join(root, "clients"), join(folder, "clients"), {
    recursive: true,
    filter: (path) => !/\/(?:vectors|target)$/.test(path),
  });
  withoutNetwork();
  const camera1 = rings.writer("cam", camera);
  const messages = rings.writer("said", {
    kind: "message",
    dtype: "|u1",
    shape: [1024],
    encoding: "json",
  });
  writers.push(camera1, messages);
  publishing = setInterval(() => {
    camera1.publish(new Uint8Array(72));
    messages.publish({ words: "hello" });
  }, 20);
});

afterAll(async () => {
  clearInterval(publishing);
  await rings.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Debian's librust-libc-dev stands for the one package that the crate needs. */
function withoutNetwork(): void {
  const debian = "/usr/share/cargo/registry";
  if (!existsSync(debian)) return;
  const sources = `[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "${debian}"\n`;
  mkdirSync(join(folder, ".cargo"));
  writeFileSync(join(folder, ".cargo/config.toml"), sources);
}

/** The first `count` lines that it prints; then it is ended, as by Ctrl-C. */
async function linesOf({ file, run, code }: Snippet, count: number): Promise<string[]> {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), code);
  const { STREAMEM_PREFIX: _, XDG_CACHE_HOME: __, ...env } = rings.environment;
  // Of Go's cache, which is the user's own, every test has its use.
  const child = Bun.spawn(["setsid", "sh", "-c", run], {
    cwd: folder,
    env: { ...env, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split("\n").length > count) break;
  }
  if (child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  await child.exited;
  const lines = text.split("\n").slice(0, count);
  if (text.split("\n").length <= count) lines.push(await new Response(child.stderr).text());
  return lines;
}

describe.each(snippetsFor(named("cam", "video")).map((one) => one.language))("%s", (language) => {
  const test_ = test.skipIf(!Bun.which(needs[language] ?? language));

  test_("reads pictures", async () => {
    const snippet = snippetsFor(named("cam", "video")).find((one) => one.language === language);
    if (!snippet) throw new Error("no snippet");
    const lines = await linesOf(snippet, 3);
    for (const line of lines) expect(line).toMatch(/^\d+n? .*old,? \d+n? missed$/);
    const sequences = lines.map((line) => Number.parseInt(line, 10));
    expect(sequences[2]).toBeGreaterThan(sequences[0] ?? 0);
  });

  test_("reads messages", async () => {
    const snippet = snippetsFor(named("said", "message")).find((one) => one.language === language);
    if (!snippet) throw new Error("no snippet");
    for (const line of await linesOf(snippet, 2)) expect(line).toMatch(/^\d+n? .*hello.*missed$/);
  });
});

test("the usual prefix is not named", () => {
  const stream = named("cam", "video");
  const usual = { ...stream, shm: { ...stream.shm, object: "/streamem.cam" } };
  for (const { code } of snippetsFor(usual)) expect(code).not.toContain("prefix");
});
