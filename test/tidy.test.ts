import { expect, test } from "bun:test";
import { steps } from "./check.ts";
import { problemsInText } from "./tidy.ts";

// Put together, so that this file is tidy too.
const person = ["home", "somebody"].map((part) => `/${part}`).join("");
const machine = `${person}/x.ts`;
const foreign = `"bun:${"ffi"}"`;

test.each([
  [`see ${machine}`, `a.ts:1: a path of one machine: ${person}`],
  [`"${machine}"`, `a.ts:1: a path of one machine: ${person}`],
  ["ok\ntrailing  ", "a.ts:2: space at the end of a line"],
  ["a\r", "a.ts:1: a carriage return"],
  [`ok\n${"<".repeat(7)} HEAD`, `a.ts:2: a merge's mark: ${"<".repeat(7)}`],
  ["const a = 1;\nEOF", "a.ts:2: what was around the text when it was pasted: EOF"],
  ["const a = 1;\n```", "a.ts:2: what was around the text when it was pasted: ```"],
  [
    `import { ptr } from ${foreign};`,
    `a.ts:1: another importer of bun:ffi: each native library has one file that declares what of it is called: from ${foreign}`,
  ],
  ["a\n", "a.ts:1: empty lines at its end"],
])("%j is found", (text, problem) => {
  expect(problemsInText("a.ts", `${text}\n`)).toEqual([problem]);
});

test("a file without an end of line is found, what is in order is not", () => {
  expect(problemsInText("a.ts", "a")).toEqual(["a.ts:1: no end of line at its end: a"]);
  const fine =
    "import x from '../home/x.ts'; // http://a/home/b\nconst t = `$" + "{base}/root/x`;\n";
  expect(problemsInText("a.ts", fine)).toEqual([]);
  expect(problemsInText("a.md", "# A\n\n```\ncode\n```\n")).toEqual([]);
});

// `bun run check` as part of the ordinary run: what it finds is a failure like any other.
test.each(Object.entries(steps))("check: %s", (_, step) => {
  const words = step();
  if (words !== null) throw new Error(words);
});
