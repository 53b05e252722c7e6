/** The sweeps of `scale` as pictures: SVG made of a result file, as the README's tables are. */
import { join } from "node:path";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Row } from "./bench.ts";

export const plotsFolder = join(import.meta.dir, "plots");

/** Name of the file, what the cases begin with, and what stands below the picture. */
const plots = [
  { name: "readers", start: "by readers, ", label: "readers" },
  { name: "sizes", start: "by size, ", label: "bytes of a frame" },
  { name: "rates", start: "by rate, ", label: "frames a second" },
  { name: "streams", start: "by streams, ", label: "streams" },
];
const shown = ["the writer's call", "until all bytes are summed"];

interface Point {
  what: string;
  measure: string;
  contender: string;
  x: number;
  us: number;
  low: number;
  high: number;
}

/** One picture for each sweep that these rows have. */
export function scalePlots(rows: Row[]): Map<string, string> {
  const found = plots.map(({ name, start, label }) => {
    const points = rows.flatMap((row) => pointOf(row, start));
    return [name, points.length > 0 ? picture(points, label) : ""] as const;
  });
  return new Map(found.filter(([, svg]) => svg !== ""));
}

/** "by readers, 64 B: the writer's call" at "4 readers" */
function pointOf(row: Row, start: string): Point[] {
  const [what, measure] = row.case.split(": ");
  if (!what?.startsWith(start) || !measure || !shown.includes(measure)) return [];
  const x = Number.parseInt(row.condition.replaceAll(",", ""), 10);
  const [us, low, high] = [row.p50 / 1000, row.p10 / 1000, row.p90 / 1000];
  return [{ what: what.slice(start.length), measure, contender: row.contender, x, us, low, high }];
}

const short = (value: number) =>
  value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 2 });

function picture(points: Point[], label: string): string {
  const contenders = [...new Set(points.map(({ contender }) => contender))].sort();
  const ticks = [...new Set(points.map(({ x }) => x))];
  const { document } = parseHTML("<html></html>");
  const svg = Plot.plot({
    document: document as unknown as Document,
    width: 860,
    height: 460,
    marginLeft: 60,
    marginRight: 150,
    style: { background: "white", color: "black", fontSize: "12px" },
    x: { type: "log", label },
    y: { type: "log", label: "us", grid: true, ticks: 6, tickFormat: "~s" },
    fx: { label: null },
    fy: { label: null },
    color: { domain: contenders },
    marks: [
      Plot.frame({ stroke: "#ccc" }),
      Plot.axisX(ticks, { x: (x: number) => x, text: (x: number) => short(x), label }),
      Plot.ruleX(points, {
        x: "x",
        y1: "low",
        y2: "high",
        fx: "measure",
        fy: "what",
        stroke: "contender",
        strokeOpacity: 0.4,
      }),
      Plot.line(points, {
        x: "x",
        y: "us",
        fx: "measure",
        fy: "what",
        stroke: "contender",
        marker: "dot",
        sort: "x",
      }),
      ...contenders.map((contender, i) =>
        Plot.text([contender], {
          text: (name: string) => name,
          fill: (name: string) => name,
          fx: () => shown[0],
          fy: () => points[0]?.what,
          frameAnchor: "top-left",
          dx: 6,
          dy: 6 + 14 * i,
        }),
      ),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${numbered(svg.outerHTML)}\n`;
}

/** The library counts markers through all pictures of a process: here each picture counts its own, so that the same rows give the same file. */
function numbered(svg: string): string {
  const ids = [...new Set(svg.match(/plot-marker-\d+/g))];
  return svg.replace(/plot-marker-\d+/g, (id) => `plot-marker-${ids.indexOf(id) + 1}`);
}
