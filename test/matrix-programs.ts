/** The matrix of writers and readers: a program of each in every language, as clients/README.md says what they do. */
import { join } from "node:path";
import { cProgram } from "./c-programs.ts";
import { go, goProgram } from "./go-programs.ts";
import { compiler } from "./ring-programs.ts";
import { rust, rustProgram } from "./rust-programs.ts";

const root = join(import.meta.dir, "..");
const python = Bun.which("python3");

/** By language, where it can be had: the start of the command, before PREFIX STREAM BYTES (SLOTS SECONDS). */
export const matrixWriters: Record<string, string[]> = {};
export const matrixReaders: Record<string, string[]> = {};

if (python) {
  matrixWriters.Python = [python, join(root, "clients/python/matrix_writer.py")];
  matrixReaders.Python = [python, join(root, "clients/python/matrix_reader.py")];
}
if (compiler) {
  matrixWriters.C = [cProgram("matrix_writer.c")];
  matrixReaders.C = [cProgram("matrix_reader.c")];
}
if (rust) {
  matrixWriters.Rust = [rustProgram("matrix_writer")];
  matrixReaders.Rust = [rustProgram("matrix_reader")];
}
if (go) {
  matrixWriters.Go = [goProgram("programs/matrix_writer")];
  matrixReaders.Go = [goProgram("programs/matrix_reader")];
}
if (Bun.which("node")) matrixReaders.Node = ["node", join(root, "clients/node/matrix_reader.mjs")];
matrixWriters.TypeScript = [process.execPath, join(root, "test/fixtures/matrix-writer.ts")];
matrixReaders.TypeScript = [process.execPath, join(root, "test/fixtures/matrix-reader.ts")];
