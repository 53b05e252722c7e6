/** From what the schema found wrong to a sentence that says what is allowed. */
import { z } from "zod";
import type { Path, YamlFile } from "./yaml-file.ts";

export interface ConfigProblem {
  file: string;
  line: number | null;
  column: number | null;
  /** `sensors[0].width` */
  path: string;
  /** The whole sentence, with file, line and column. */
  text: string;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** @param at where the checked value stands in the file */
export function issueProblems(
  yaml: YamlFile,
  schema: z.ZodType,
  error: z.ZodError,
  at: Path,
): ConfigProblem[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return error.issues.flatMap((issue) => {
    const inner = issue.path as Path;
    const path = [...at, ...inner];
    if (issue.code === "unrecognized_keys") {
      const allowed = Object.keys(find(json, inner)?.properties ?? {});
      return issue.keys.map((key) => yaml.keyProblem(path, key, unknownKey(key, allowed)));
    }
    const leaf = find(json, inner);
    // A check of a schema's own says in its own words what it wants.
    const own = issue.code === "custom" || (issue.code === "invalid_format" && !leaf?.description);
    const allowed = own ? issue.message : `allowed: ${describe(leaf)}`;
    const found = yaml.has(path) ? `is ${yaml.shown(path)}` : "is missing";
    return [yaml.problem(path, `${found}; ${allowed}`)];
  });
}

function unknownKey(key: string, allowed: string[]): string {
  const [nearest] = allowed
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const hint = nearest && nearest.distance <= 2 ? ` (did you mean ${nearest.name}?)` : "";
  return `is not a known key${hint}; allowed here: ${allowed.join(", ")}`;
}

/** The part of a schema that a path leads to. */
function find(schema: JsonSchema | undefined, path: Path): JsonSchema | undefined {
  if (schema === undefined || path.length === 0) return schema;
  const [key, ...rest] = path;
  const next =
    typeof key === "number"
      ? schema.items
      : (schema.properties?.[key as string] ?? schema.additionalProperties);
  if (next && typeof next === "object") return find(next as JsonSchema, rest);
  const branches = (schema.anyOf ?? schema.oneOf ?? []) as JsonSchema[];
  return branches.map((branch) => find(branch, path)).find((found) => found !== undefined);
}

/** What a schema allows, as a phrase. */
export function describe(schema: JsonSchema | undefined): string {
  if (schema === undefined) return "another value";
  if (schema.description) return schema.description;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(String).join(", ");
  const branches = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (branches) return branches.map(describe).join(", or ");
  switch (schema.type) {
    case "integer":
      return `a whole number${range(schema)}`;
    case "number":
      return `a number${range(schema)}`;
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      return `a list, each entry ${describe(schema.items as JsonSchema)}`;
    case "object":
      return schema.properties
        ? `keys and values (${Object.keys(schema.properties).join(", ")})`
        : "keys and values";
    case "string":
      return schema.minLength ? "a text that is not empty" : "a text";
    default:
      return "another value";
  }
}

function range({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  const safe = (bound: unknown) => Math.abs(bound as number) < Number.MAX_SAFE_INTEGER;
  const parts = [
    minimum !== undefined && safe(minimum) ? `from ${minimum}` : "",
    exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : "",
    maximum !== undefined && safe(maximum) ? `to ${maximum}` : "",
    exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : "",
  ];
  const words = parts.filter((part) => part !== "").join(" ");
  return words === "" ? "" : ` ${words}`;
}

/** Levenshtein's, in one row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
