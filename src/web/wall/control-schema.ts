/** A device's settings as its JSON Schema tells them: what of it a form can offer. */

export interface Schema {
  type?: string;
  description?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
  readOnly?: boolean;
  properties?: Record<string, Schema>;
  required?: string[];
}

export interface Field {
  key: string;
  schema: Schema;
}

export interface Control {
  name: string;
  /** One value, not an object of several. */
  plain: boolean;
  /** For people: `pvWhiteBalancePreset` as "pv white balance preset". */
  title: string;
  description: string;
  fields: Field[];
}

/** The key of a control that is one plain value. */
export const wholeValue = "value";

/** What one wants first. */
const first = /focus|exposure|whitebalance/i;

/** Settings that are an object of plain values; those of other shapes have no form here, the API takes them. */
export function controlsOf(schema: Schema): Control[] {
  const controls = Object.entries(schema.properties ?? {}).flatMap(([name, one]): Control[] => {
    if (one.readOnly) return [];
    const plain = one.properties === undefined;
    const fields = plain
      ? [{ key: wholeValue, schema: one }]
      : Object.entries(one.properties ?? {}).map(([key, inner]) => ({ key, schema: inner }));
    if (fields.length === 0 || !fields.every((field) => inputOf(field.schema) !== null)) return [];
    return [{ name, plain, title: titleOf(name), description: one.description ?? "", fields }];
  });
  const rank = (control: Control) => (isWantedFirst(control) ? 0 : 1);
  return controls.sort((one, other) => rank(one) - rank(other));
}

export function isWantedFirst({ name }: Control): boolean {
  return first.test(name);
}

export type Input = "choice" | "number" | "flag" | "text";

export function inputOf({ type, enum: choices }: Schema): Input | null {
  if (choices) return "choice";
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "flag";
  return type === "string" ? "text" : null;
}

function titleOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a form's text stands for; undefined where it was left empty. */
export function valueIn(schema: Schema, text: string): unknown {
  if (text === "") return undefined;
  const input = inputOf(schema);
  if (input === "number") return Number(text);
  if (input === "flag") return text === "true";
  return input === "choice" ? schema.enum?.find((choice) => String(choice) === text) : text;
}
