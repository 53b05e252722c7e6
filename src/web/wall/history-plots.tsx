/** Rate, bytes and age of the last minute, a point a second. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { type HistoryPoint, historyOf } from "../hub/history.ts";
import { nowMs } from "./now.ts";

const drawn: { name: string; of(point: HistoryPoint): number | null }[] = [
  { name: "Frames/s", of: ({ rate }) => rate },
  {
    name: "MB/s",
    of: ({ bytesPerSecond }) => (bytesPerSecond === null ? null : bytesPerSecond / 1e6),
  },
  { name: "Age, ms", of: ({ ageMs }) => ageMs },
  { name: "Capture to published, ms", of: ({ latencyMs }) => latencyMs },
];

export function HistoryPlots({ name }: { name: string }) {
  return (
    <div class="history">
      {drawn.map((line) => (
        <HistoryPlot key={line.name} stream={name} label={line.name} of={line.of} />
      ))}
    </div>
  );
}

interface PlotProps {
  stream: string;
  label: string;
  of(point: HistoryPoint): number | null;
}

function HistoryPlot({ stream, label, of }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const plot = createPlot(element);
    const forget = nowMs.subscribe((now) => {
      const points = historyOf(stream);
      plot.setData([points.map(({ atMs }) => (atMs - now) / 1000), points.map(of)]);
    });
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      forget();
      observer.disconnect();
      plot.destroy();
    };
  }, [stream]);
  return (
    <figure>
      <figcaption>{label}</figcaption>
      <div ref={place} role="img" aria-label={`${label} of ${stream}, the last minute`} />
    </figure>
  );
}

const height = 90;

function createPlot(element: HTMLElement): uPlot {
  const css = getComputedStyle(element);
  const axis = {
    stroke: css.getPropertyValue("--quiet"),
    font: `11px ${css.fontFamily}`,
    grid: { stroke: css.getPropertyValue("--line"), width: 1 },
    ticks: { show: false },
  };
  const top = (_: uPlot, _low: number, high: number): [number, number] => [
    0,
    high > 0 ? high * 1.15 : 1,
  ];
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      scales: { x: { time: false, range: [-60, 0] }, y: { range: top } },
      cursor: { show: false },
      legend: { show: false },
      axes: [
        { ...axis, size: 20, values: (_, ticks) => ticks.map((tick) => `${tick} s`) },
        { ...axis, size: 44 },
      ],
      series: [
        {},
        { stroke: css.getPropertyValue("--accent"), width: 1.5, points: { show: false } },
      ],
    },
    [[], []],
    element,
  );
}
