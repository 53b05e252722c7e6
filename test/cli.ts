/** The command line for tests: `streamem <verb>` as a process of its own, as a user starts it. */
import { join } from "node:path";

const main = join(import.meta.dir, "../src/main.ts");

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** @param wrapper words before it, for instance those of `setpriv` */
export async function streamem(
  words: string[],
  env: Record<string, string> = {},
  wrapper: string[] = [],
): Promise<Outcome> {
  const child = Bun.spawn([...wrapper, process.execPath, main, ...words], {
    cwd: "/", // where no streamem.yaml is
    env: { ...process.env, STREAMEM_PREFIX: undefined, DISPLAY: "", WAYLAND_DISPLAY: "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}

/** The one line of JSON that a verb prints with `--json`. */
export async function streamemJson<Answer>(
  words: string[],
  env: Record<string, string> = {},
): Promise<Answer> {
  return JSON.parse((await streamem([...words, "--json"], env)).stdout) as Answer;
}
