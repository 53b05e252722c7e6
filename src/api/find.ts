/** A stream by its name, as it is now, or a problem in words. */
import { LayoutError } from "../ring/layout.ts";
import type { Stream } from "../streams/stream.ts";
import type { StreamRegistry } from "../streams/streams.ts";
import { Problem } from "./problem.ts";

/**
 * Looks at /dev/shm anew where the name is not known, or its ring was replaced since the last scan.
 * The stream may be closed by any later scan: use it before the next `await`.
 */
export function findStream(registry: StreamRegistry, name: string): Stream {
  const known = registry.get(name);
  if (known && !known.segment.unlinked()) return known;
  registry.scan();
  const found = registry.get(name);
  if (found) return found;
  const names = registry.list().map((stream) => stream.name);
  throw new Problem({
    status: 404,
    kind: "unknown-stream",
    title: "Unknown stream",
    detail: `There is no stream "${name}"; known are ${names.join(", ") || "none"}.`,
    members: { streams: names },
  });
}

/** Whatever a ring's owner does to it while it is read becomes a problem of this request alone. */
export function reading<Result>(
  registry: StreamRegistry,
  name: string,
  read: () => Result,
): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (!(error instanceof LayoutError || isSystemError(error) || error instanceof RangeError)) {
      throw error;
    }
    registry.scan();
    throw new Problem({
      status: 503,
      kind: "unreadable-ring",
      title: "The ring cannot be read",
      detail: `Stream "${name}" cannot be read now: ${error.message}. Its writer may be making a new one.`,
      headers: { "Retry-After": "1" },
    });
  }
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
