/** What no tracked file may have: traces of the machine it was written on, leftovers, things that are built. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

interface Rule {
  words: string;
  pattern: RegExp;
  /** Files that may; the reason stands beside it. */
  except?: RegExp;
}

const rules: Rule[] = [
  {
    words: "a path of one machine",
    pattern: /(?<![\w.$}:/-])\/(?:home|root|Users|work|mnt)\/(?!you\b)[\w.-]+/,
  },
  { words: "a folder outside the repository", pattern: /\.\.\/shared\b/ },
  {
    words: "a package registry's address",
    pattern: /\b(?:registry\.(?:npmjs|yarnpkg)|files\.pythonhosted|deb\.debian)\.\w+/,
  },
  { words: "a merge's mark", pattern: /^(?:<{7}|>{7}|={7})(?: |$)/m },
  { words: "space at the end of a line", pattern: /[ \t]+$/m },
  { words: "a carriage return", pattern: /\r/ },
  {
    words: "what was around the text when it was pasted",
    pattern: /(?:^EOF|^```|^<\/\w+>)\n*$(?![\s\S])/m,
    except: /\.(?:md|html)$/, // a page may end with a block
  },
  {
    words:
      "another importer of bun:ffi: each native library has one file that declares what of it is called",
    pattern: /\bfrom "bun:f{2}i"/,
    except: /^(?:src\/ring\/ffi|sensors\/ndi\/libndi\/symbols)\.ts$/,
  },
  { words: "no end of line at its end", pattern: /[^\n]$(?![\s\S])/ },
  { words: "empty lines at its end", pattern: /\n\n$(?![\s\S])/ },
];

const builtNames =
  /(?:^|\/)(?:node_modules|__pycache__)\/|\.(?:so|o|a|pyc|orig|rej|log|tsbuildinfo)$|~$/;
/** Committed on purpose: test data. */
const largestBytes = 1_000_000;
const mayBeLarge = /^test\/data\//;

/** @returns a line for each problem: file, line, words */
export function problemsInTree(root: string): string[] {
  // A checkout that belongs to another user is no reason for git to refuse to list it.
  const git = ["git", "-c", "safe.directory=*", "ls-files", "-z"];
  const listed = Bun.spawnSync(git, { cwd: root, stderr: "pipe" });
  if (!listed.success) return [`git ls-files: ${listed.stderr.toString().trim()}`];
  const files = listed.stdout.toString().split("\0").filter(Boolean);
  return files.flatMap((file) => problemsIn(file, join(root, file)));
}

function problemsIn(file: string, path: string): string[] {
  const problems = builtNames.test(file) ? [`${file}: is built, or left over`] : [];
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > largestBytes && !mayBeLarge.test(file)) problems.push(`${file}: has ${bytes} bytes`);
  const text = bytes > 0 ? readFileSync(path) : Buffer.alloc(0);
  const isText = text.length > 0 && !text.includes(0) && !file.endsWith(".ring");
  if (!isText) return problems;
  return [...problems, ...problemsInText(file, text.toString())];
}

/** @param file its name: some rules hold for some files only */
export function problemsInText(file: string, text: string): string[] {
  return rules.flatMap(({ words, pattern, except }) => {
    const found = except?.test(file) ? null : pattern.exec(text);
    if (!found) return [];
    const line = text.slice(0, found.index).split("\n").length;
    return [`${file}:${line}: ${words}${shown(found[0])}`];
  });
}

function shown(text: string): string {
  return text.trim() === "" ? "" : `: ${text.trim().slice(0, 80)}`;
}
