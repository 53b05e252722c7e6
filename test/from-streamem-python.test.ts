/** The page for those who come from the Python streamem: every block of ours runs, and what it says about ours is so. */
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../src/config/config.ts";
import { pythonPrograms } from "./install.ts";
import { TestRings, until } from "./rings.ts";

const root = join(import.meta.dir, "..");
const page = await Bun.file(join(root, "docs/from-streamem-python.md")).text();
const rings = new TestRings("moving");
const { prefix, directory } = rings;
const env = {
  ...process.env,
  STREAMEM_PREFIX: prefix,
  STREAMEM_DIR: directory,
  PYTHONPATH: join(root, "clients/python"),
};
const programs = pythonPrograms();
const python = programs.folder ? join(programs.folder, "python3") : null;

/** The blocks of a language that come after *now* and before the next *before*. */
function blocks(language: string): string[] {
  const ours = page
    .split(/^\*now\*$/m)
    .slice(1)
    .map((part) => part.split(/^\*before\*$/m)[0] ?? "");
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms");
  return ours.flatMap((part) => [...part.matchAll(fence)].map((match) => match[1] ?? ""));
}

// The streams of a hub without a file, but slow ones: a frame that a block copies has to stay in the ring until then,
// and this machine may be busy.
writeFileSync(
  join(directory, "streamem.yaml"),
  "sensors: [{ kind: rand-camera, name: rand-camera, fps: 2 }, { kind: rand-microphone, name: rand-microphone }]",
);
const hub = Bun.spawn(
  [process.execPath, join(root, "src/main.ts"), "hub", "--port", "0", "--prefix", prefix],
  { env, cwd: directory, stdout: "ignore", stderr: "ignore" },
);
afterAll(async () => {
  hub.kill("SIGTERM");
  await hub.exited;
  await rings.close();
});

test.skipIf(!python)(
  "every block in Python",
  async () => {
    await until(() => rings.exists("rand-camera") && rings.exists("rand-microphone"));
    const all = blocks("python");
    expect(all).toHaveLength(5);
    const said: string[] = [];
    for (const block of all) {
      const child = Bun.spawn([python as string, "-c", block], {
        env,
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, complaint] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      expect({ block, code: await child.exited, complaint }).toEqual({
        block,
        code: 0,
        complaint: "",
      });
      said.push(out.trim());
    }
    expect(said[0]).toBe("(720, 1280, 3)");
    expect(said[1]).toMatch(/^\([1-4], 720, 1280, 3\)$/);
    expect(said[2]).toMatch(/^\d+ \(720, 1280, 3\) \{.*\}$/);
    expect(said.slice(3)).toEqual(["", "(4, 6)"]);
  },
  60_000,
);

test("every block of the configuration, and every sensor of the table", async () => {
  for (const text of blocks("yaml")) await parseConfig(text, "page.yaml");
  const entries = [...page.matchAll(/`(\{ kind: (?:rand-camera|rand-microphone|hololens).*?\})`/g)];
  expect(entries).toHaveLength(3);
  for (const [, entry] of entries) await parseConfig(`sensors: [${entry}]`, "page.yaml");
});
