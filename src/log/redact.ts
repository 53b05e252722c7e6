/** Passwords do not belong into logs, messages or the API: camera addresses often carry them. */

const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*@/gi;
const secretParameter =
  /([?&;/](?:pass|passwd|password|pwd|token|access_token|api_?key|key|secret|sig|signature|auth)=)[^&;\s"'<>]+/gi;

/** Rather hides too much than too little: everything between `://` and the last `@`. */
export function redact(text: string): string {
  return text.replace(userInfo, "$1***@").replace(secretParameter, "$1***");
}

/** The same for every text inside a value. */
export function redactDeep(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (value instanceof Error) return redact(value.stack ?? String(value));
  if (Array.isArray(value)) return value.map(redactDeep);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item)]));
}
