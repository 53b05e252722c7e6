/** Where pictures come from: a file, a camera on the network, or a device of this machine. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { redact } from "../../src/log/redact.ts";

export type Address =
  | { type: "file"; path: string; words: string }
  | { type: "rtsp"; url: string; words: string }
  | { type: "device"; path: string; words: string };

/** `words` are for people and the descriptor: no password in them. Null for what is none of the three. */
export function parseAddress(text: string): Address | null {
  if (/^rtsps?:\/\/[^/]/i.test(text)) return { type: "rtsp", url: text, words: redact(text) };
  const path = /^file:\/\//i.test(text) ? pathOf(text) : text;
  if (path === null || path === "" || /^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return null;
  if (/^\/dev\/(video\d|v4l\/)/.test(path)) return { type: "device", path, words: path };
  return { type: "file", path: resolve(path), words: path };
}

function pathOf(url: string): string | null {
  try {
    return fileURLToPath(url);
  } catch {
    return null;
  }
}
