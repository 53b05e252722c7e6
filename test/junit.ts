/** Counts out of the report that `bun test --reporter=junit` leaves. */
import { existsSync, readFileSync } from "node:fs";

export interface Counts {
  passed: number;
  /** Named, file first; then why, in one line. */
  failed: string[];
  skipped: string[];
}

export function noCounts(): Counts {
  return { passed: 0, failed: [], skipped: [] };
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: [...a.failed, ...b.failed],
    skipped: [...a.skipped, ...b.skipped],
  };
}

/**
 * @param how why the process did not end well, null if it did. A file that cannot be loaded, an error
 * between two tests or a crash stands in no report: it counts as one failure.
 */
export function junitCounts(file: string, report: string, how: string | null): Counts {
  const counts = existsSync(report) ? counted(file, readFileSync(report, "utf8")) : noCounts();
  if (how !== null && counts.failed.length === 0) counts.failed.push(`${file} ${how}`);
  return counts;
}

function counted(file: string, xml: string): Counts {
  const counts = noCounts();
  for (const [, attributes = "", body = ""] of xml.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = `${file}: ${nameOf(attributes)}`;
    if (body.includes("<skipped")) counts.skipped.push(name);
    else if (/<(failure|error)/.test(body)) counts.failed.push(`${name}: ${whyOf(body)}`);
    else counts.passed++;
  }
  return counts;
}

function nameOf(attributes: string): string {
  const parts = [attribute(attributes, "classname"), attribute(attributes, "name")];
  return parts.filter((part) => part !== "").join(" > ");
}

/** The message and the way to where it was thrown: of a long log often only the end is at hand. */
function whyOf(body: string): string {
  const stack = unescaped(/>([^<]*)<\/(?:failure|error)>/.exec(body)?.[1] ?? "");
  const calls = stack.match(/[^\s(]+\.ts:\d+(?=:\d+)/g) ?? [];
  const words = attribute(body, "message").replace(/\s+/g, " ").trim().slice(0, 300);
  return calls.length === 0 ? words : `${words} (${calls.slice(0, 3).join(" < ")})`;
}

function attribute(xml: string, key: string): string {
  return unescaped(new RegExp(`(?:^| )${key}="([^"]*)"`).exec(xml)?.[1] ?? "");
}

function unescaped(text: string): string {
  const marks: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, mark) => marks[mark] ?? "");
}
