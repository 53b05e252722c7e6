/** A YAML text whose values can be traced back to line and column. */
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument } from "yaml";
import { redact } from "../log/redact.ts";
import type { ConfigProblem } from "./config-words.ts";

export type Path = (string | number)[];

export class YamlFile {
  readonly value: unknown;
  /** What makes it no valid YAML. */
  readonly problems: ConfigProblem[];
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #document;

  constructor(text: string, name: string) {
    this.#name = name;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    this.problems = this.#document.errors.map((error) =>
      this.#problemAt(error.pos[0], "", `is not valid YAML: ${error.message}`),
    );
    try {
      this.value = this.problems.length === 0 ? this.#document.toJS() : null;
    } catch (error) {
      // For instance an alias that grows without bound.
      this.problems = [this.#problemAt(0, "", `is not valid YAML: ${(error as Error).message}`)];
    }
  }

  /** @param path where; what is not there itself is reported at what should hold it */
  problem(path: Path, words: string): ConfigProblem {
    return this.#problemAt(this.#offset(path), written(path), words);
  }

  /** `file:line:column` */
  where(path: Path): string {
    const { line, col } = this.#lines.linePos(this.#offset(path));
    return `${this.#name}:${line}:${col}`;
  }

  /** The key itself, not its value: where a misspelt one stands. */
  keyProblem(path: Path, key: string, words: string): ConfigProblem {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    const pair = isMap(map) ? map.items.find((item: Pair) => keyText(item) === key) : undefined;
    const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    return this.#problemAt(offset ?? this.#offset(path), written([...path, key]), words);
  }

  /** A value as it may stand in a message: short, and without passwords. */
  shown(path: Path): string {
    const value = this.#document.getIn(path);
    const text = redact(JSON.stringify(isNode(value) ? value.toJS(this.#document) : value) ?? "");
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  }

  has(path: Path): boolean {
    return this.#document.hasIn(path);
  }

  #offset(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const part = path.slice(0, length);
      const node = part.length === 0 ? this.#document.contents : this.#document.getIn(part, true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }

  #problemAt(offset: number, path: string, words: string): ConfigProblem {
    const { line, col: column } = this.#lines.linePos(offset);
    const subject = path === "" ? "" : `${path}: `;
    const text = `${this.#name}:${line}:${column}: ${subject}${words}`;
    return { file: this.#name, line, column, path, text };
  }
}

function keyText(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

/** `sensors[0].width` */
function written(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}
