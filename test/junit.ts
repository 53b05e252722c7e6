/** Counts out of the report that `bun test --reporter=junit` leaves. */
import { existsSync, readFileSync } from "node:fs";

export interface Counts {
  passed: number;
  /** Named, file first. */
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
    else if (/<(failure|error)/.test(body)) counts.failed.push(name);
    else counts.passed++;
  }
  return counts;
}

function nameOf(attributes: string): string {
  const value = (key: string) =>
    unescaped(new RegExp(`(?:^| )${key}="([^"]*)"`).exec(attributes)?.[1] ?? "");
  return [value("classname"), value("name")].filter((part) => part !== "").join(" > ");
}

function unescaped(text: string): string {
  const marks: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, mark) => marks[mark] ?? "");
}
