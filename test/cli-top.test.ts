import { afterAll, expect, test } from "bun:test";
import type { StreamFacts } from "../src/cli/rings.ts";
import { streamem } from "./cli.ts";
import { camera, TestRings, until } from "./rings.ts";

const rings = new TestRings("top");
const { prefix } = rings;
afterAll(() => rings.close());

test("--once prints one table and ends, also where there is no stream", async () => {
  const { code, stdout } = await streamem(["top", "--once", "--prefix", prefix]);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^no streams\n0 streams of ${prefix}: 0 B/s, 0 B reserved, `));
});

test("rate, bytes per second, age, memory, wake mode and state of each stream, as plain lines", async () => {
  const producer = await rings.producer("cam", { ...camera, rate: 50 }, 50);
  const looked = () => streamem(["top", "--prefix", prefix, "--count", "2", "--interval", "0.2"]);
  const stdout = await until(async () => {
    const { stdout } = await looked();
    // In both: of a producer that got no CPU after its first frame there is no rate at the first look.
    return stdout.match(/ \/s +50 \/s/g)?.length === 2 && stdout;
  });
  const tables = stdout.split("\n\n");
  expect(tables.length).toBe(2);
  for (const table of tables) {
    const [head, row, sums] = table.split("\n");
    expect(head).toMatch(
      /^stream +state +rate +of +bytes +age +arrived +published +memory +wake +frames +pid$/,
    );
    expect(row).toMatch(
      new RegExp(
        `^cam +(live|stalled) +[\\d.]+ /s +50 /s +[\\d.]+ k?B/s +[\\d.]+ m?s +[\\d.]+ kB +futex, socket +\\d+ +${producer.pid}$`,
      ),
    );
    expect(sums).toMatch(new RegExp(`^1 stream of ${prefix}: .* reserved, .* free in /dev/shm$`));
  }
  expect(stdout).not.toContain("\x1b");
});

test("--json prints a line for each look, with frames that grow", async () => {
  const words = ["top", "--prefix", prefix, "--json", "--count", "3", "--interval", "0.3"];
  // Looked again: where the producer got no CPU between two looks there is no frame between them.
  await until(async () => {
    const { stdout } = await streamem(words);
    const looks = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { streams: StreamFacts[] }).streams[0]);
    const sequences = looks.map((stream) => Number(stream?.lastSequence));
    expect(sequences).toHaveLength(3);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    return new Set(sequences).size === 3;
  });
});

test("it looks only: a dead ring stays", async () => {
  const producer = await rings.producer("dead", camera);
  producer.kill("SIGKILL");
  await producer.exited;
  const { stdout } = await streamem(["top", "--once", "--prefix", prefix]);
  expect(stdout).toMatch(/^dead +dead /m);
  expect(rings.exists("dead")).toBe(true);
});

test("a pipe that is closed ends it without a word", async () => {
  const command = `"${process.execPath}" src/main.ts top --prefix ${prefix} --interval 0.05 | head -n 1`;
  const shell = Bun.spawn(["bash", "-c", `${command}; exit \${PIPESTATUS[0]}`], {
    cwd: `${import.meta.dir}/..`,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await shell.exited).toBe(0);
  expect(await new Response(shell.stderr).text()).toBe("");
});

// `script` gives it a terminal: the second screen is entered, drawn over twice, and left.
test.skipIf(!Bun.which("script"))(
  "on a terminal it draws in place and leaves it as it was",
  async () => {
    const command = `"${process.execPath}" src/main.ts top --prefix ${prefix} --count 2 --interval 0.1`;
    const terminal = Bun.spawn(
      ["script", "-qec", `stty cols 30 rows 10; ${command}`, "/dev/null"],
      {
        cwd: `${import.meta.dir}/..`,
        stdin: "ignore",
        stdout: "pipe",
      },
    );
    const text = await new Response(terminal.stdout).text();
    expect(text.split("\x1b[H").length).toBe(3);
    expect(text).toStartWith("\x1b[?1049h\x1b[?25l");
    expect(text).toEndWith("\x1b[?25h\x1b[?1049l");
    const drawn = text.split("\x1b[H")[1]?.split("\x1b[K") ?? [];
    expect(Math.max(...drawn.map((line) => line.trim().length))).toBeLessThanOrEqual(30);
  },
);

test.each([["0"], ["1.5"], ["many"]])("--count %s is refused", async (count) => {
  const { code, stderr } = await streamem(["top", "--count", count]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("a whole number") });
});
