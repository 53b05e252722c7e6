/** Numbers over the last ten seconds as lines, with their unit: what an IMU measures. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { StreamBody } from "../../api/schemas.ts";
import { SampleWindow } from "./samples.ts";
import { framesOf, useDrawing, useFrames, type ViewProps } from "./view.ts";

const drawPeriodMs = 100;
const lineColours = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];

export function PlotView({ stream, feed }: ViewProps) {
  const element = useRef<HTMLDivElement>(null);
  const values = useRef<SampleWindow | null>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(0n);

  useEffect(() => {
    const place = element.current;
    if (!place) return;
    const kept = new SampleWindow(stream);
    values.current = kept;
    const made = createPlot(place, stream, kept);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(sizeOf(place)));
    observer.observe(place);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);

  const draw = useDrawing(drawPeriodMs, () => {
    if (!plot.current || !values.current) return;
    plot.current.setData(values.current.data);
    if (element.current) element.current.dataset.sequence = String(newest.current);
  });

  useFrames(feed, ({ payload, sequence }) => {
    for (const { data, captureTimeNs, publishTimeNs } of framesOf(payload)) {
      values.current?.add(data, Number(captureTimeNs ?? publishTimeNs) / 1e9);
    }
    newest.current = sequence;
    draw();
  });

  const unit = stream.units ? ` in ${stream.units}` : "";
  return (
    <div
      class="plot"
      ref={element}
      role="img"
      aria-label={`${stream.name}${unit}, the last ten seconds`}
    />
  );
}

function createPlot(place: HTMLElement, { units }: StreamBody, kept: SampleWindow): uPlot {
  const css = getComputedStyle(place);
  const [quiet, grid] = [css.getPropertyValue("--quiet"), css.getPropertyValue("--line")];
  const font = `11px ${css.fontFamily}`;
  const axis = { stroke: quiet, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  return new uPlot(
    {
      ...sizeOf(place),
      scales: { x: { time: false } },
      cursor: { show: false },
      legend: { live: false },
      axes: [
        { ...axis, size: 22, values: (plot, ticks) => ticks.map((tick) => agoWords(plot, tick)) },
        {
          ...axis,
          size: 48,
          label: units ?? "",
          labelSize: units ? 18 : 0,
          labelFont: font,
          labelGap: 0,
        },
      ],
      series: [
        {},
        ...kept.names.map((label, index) => ({
          label,
          stroke: css.getPropertyValue(lineColours[index % lineColours.length] as string),
          width: 1.25,
          points: { show: false },
        })),
      ],
    },
    kept.data,
    place,
  );
}

/** Seconds before the newest. */
function agoWords(plot: uPlot, tick: number): string {
  const newest = plot.scales.x?.max ?? tick;
  return `${Math.round(tick - newest)} s`;
}

const legendPx = 24;

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: Math.max(100, clientWidth), height: Math.max(60, clientHeight - legendPx) };
}
