/** The end of a verb that runs until somebody says so. */
import { exitCode } from "./options.ts";

/** One Ctrl-C may come twice: from the terminal, and passed on by npm. */
const sameRequestMs = 500;

/** Resolves at the first SIGINT or SIGTERM; a later one ends at once, without tidying up. */
export function endAsked(): Promise<void> {
  return new Promise((resolve) => {
    let askedMs: number | null = null;
    const end = () => {
      const now = performance.now();
      if (askedMs !== null && now - askedMs > sameRequestMs) process.exit(exitCode.failed);
      askedMs ??= now;
      resolve();
    };
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
  });
}
