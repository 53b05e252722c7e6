/** JSON in which every number keeps its digits: a message's 64-bit integers must come out as they went in. */

/** JavaScript has these (proposal JSON.parse source text access); TypeScript's library does not say so yet. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const exact = JSON as unknown as ExactJson;

/** As JSON.parse, for JSON.stringify alone: numbers are kept as the text that they were. Throws SyntaxError. */
export function parseExactly(text: string): unknown {
  return exact.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined ? exact.rawJSON(source) : value,
  );
}
