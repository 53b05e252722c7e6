// Finds or builds the native shim. With a C compiler it is compiled once with -O2 and kept by the hash of its
// sources, so that a second start costs nothing and a changed source never meets an old library.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
export const shimSource = join(root, "native", "shim.c");
const sources = [
  shimSource,
  join(root, "native", "bgr24.c"),
  join(root, "native", "bgr24-avx2.c"),
  join(root, "native", "bgr24-neon.c"),
  join(root, "native", "bgr24-ssse3.c"),
  join(root, "native", "doorbell.c"),
  join(root, "native", "noise.c"),
  ...["pixels.c", "rows-plain.c", "rows-sse2.c", "shrink.c"].map((file) =>
    join(root, "native", file),
  ),
  join(root, "native", "sweep.c"),
  join(root, "native", "no_libc.h"),
  join(root, "clients", "c", "streamem.h"),
];
const flags = ["-std=gnu11", "-O2", "-shared", "-fPIC", "-pthread"];

function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || (homedir() ? join(homedir(), ".cache") : tmpdir());
  return join(base, "streamem");
}

/** The C compiler to use: $CC, else cc, gcc or clang; null where there is none. */
export function findCompiler(): string | null {
  if (process.env.STREAMEM_NO_COMPILER) return null;
  const wanted = process.env.CC ? [process.env.CC] : ["cc", "gcc", "clang"];
  return wanted.map((name) => Bun.which(name)).find((path) => path !== null) ?? null;
}

/**
 * Path of the shared library, built if need be; null where no compiler works.
 * `why` then says what was tried, for the error on machines that have no other way.
 */
export function buildShim(): { path: string } | { path: null; why: string } {
  const hash = createHash("sha256").update(flags.join(" ")).update(process.arch);
  for (const source of sources) hash.update(readFileSync(source));
  const folder = cacheFolder();
  const path = join(folder, `shim-${hash.digest("hex").slice(0, 20)}.so`);
  if (existsSync(path)) return { path };
  const compiler = findCompiler();
  if (!compiler) return { path: null, why: "no C compiler found (looked for $CC, cc, gcc, clang)" };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { path: null, why: `${folder} cannot be made (${code}): set XDG_CACHE_HOME` };
  }
  const temporary = `${path}.${process.pid}`; // two starts at once must not see each other's half
  const built = Bun.spawnSync([compiler, ...flags, shimSource, "-o", temporary]);
  if (!built.success) {
    rmSync(temporary, { force: true });
    return {
      path: null,
      why: `${compiler} failed: ${built.stderr.toString().trim().slice(0, 600)}`,
    };
  }
  renameSync(temporary, path);
  return { path };
}
