/** The C and C++ programs of clients/c: compiled once in each process, with every warning an error. */
import { join } from "node:path";
import { compiler, run, temporaryFolder } from "./ring-programs.ts";

const folder = join(import.meta.dir, "../clients/c");
const compiled = new Map<string, string>();

export const cpp = Bun.which("c++");
const strict = ["-O2", "-Wall", "-Wextra", "-Werror"];

/** Path of the compiled `source`, such as `samples/latest.c`, in C11, or in C++17 by its name or by `as`. */
export function cProgram(source: string, as = source.endsWith(".cpp") ? "C++17" : "C11"): string {
  const key = `${source} ${as}`;
  const known = compiled.get(key);
  if (known) return known;
  const binary = join(temporaryFolder("c"), "program");
  const language =
    as === "C11" ? [compiler as string, "-std=c11"] : [cpp as string, "-x", "c++", "-std=c++17"];
  const sources = [join(folder, source), "-I", folder, "-o", binary, "-pthread"];
  run([...language, ...strict, ...sources]);
  compiled.set(key, binary);
  return binary;
}
