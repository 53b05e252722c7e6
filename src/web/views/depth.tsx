/**
 * Pictures of 16 bits: depth in colours with a scale in metres and the distance under the pointer, active
 * brightness in grey. Each pixel that arrives is a measurement, not a mean of several.
 */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { StreamBody } from "../../api/schemas.ts";
import {
  depthColours,
  eased,
  gradientOf,
  greyColours,
  paint,
  type Range,
  rangeOf,
} from "./colours.ts";
import { painted, useFrames, type ViewProps } from "./view.ts";

interface Pixels {
  width: number;
  height: number;
  values: Uint16Array;
}

const depthGradient = gradientOf(depthColours);
const greyGradient = gradientOf(greyColours);

export function DepthView({ stream, feed, large }: ViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pixels = useRef<Pixels | null>(null);
  const range = useRef<Range | null>(null);
  const scale = useSignal<{ low: string; high: string } | null>(null);
  const probe = useSignal<{ x: number; y: number } | null>(null);
  const under = useSignal("");
  const unit = unitOf(stream);
  const isDepth = stream.kind === "depth";

  const tell = () => {
    const { x, y } = probe.value ?? { x: -1, y: -1 };
    under.value = pixels.current && probe.value ? valueAt(pixels.current, x, y, unit) : "";
  };

  useFrames(feed, async ({ payload, sequence }) => {
    const context = canvas.current?.getContext("2d");
    if (payload?.kind !== "gray16" || !canvas.current || !context) return;
    const { width, height, data } = payload;
    const values = new Uint16Array(data.slice().buffer, 0, width * height);
    pixels.current = { width, height, values };
    range.current = eased(range.current, rangeOf(values));
    if (canvas.current.width !== width) canvas.current.width = width;
    if (canvas.current.height !== height) canvas.current.height = height;
    const image = context.createImageData(width, height);
    if (range.current) {
      paint(values, image.data, range.current, isDepth ? depthColours : greyColours);
      const { low, high } = range.current;
      scale.value = { low: unit.words(low), high: unit.words(high) };
    }
    context.putImageData(image, 0, 0);
    canvas.current.dataset.sequence = String(sequence);
    tell();
    await painted();
  });

  const point = (event: PointerEvent) => {
    const shown = canvas.current && pixels.current && pictureBox(canvas.current, pixels.current);
    if (!shown || !pixels.current) return;
    const x = Math.floor(((event.clientX - shown.left) / shown.width) * pixels.current.width);
    const y = Math.floor(((event.clientY - shown.top) / shown.height) * pixels.current.height);
    const inside = x >= 0 && y >= 0 && x < pixels.current.width && y < pixels.current.height;
    probe.value = inside ? { x, y } : null;
    tell();
  };

  const step = (event: KeyboardEvent) => {
    const [dx, dy] = arrows[event.key] ?? [0, 0];
    if (!pixels.current || (dx === 0 && dy === 0)) return;
    event.preventDefault();
    const { width, height } = pixels.current;
    const { x, y } = probe.value ?? { x: width >> 1, y: height >> 1 };
    const stride = event.shiftKey ? 1 : 8;
    probe.value = {
      x: Math.min(width - 1, Math.max(0, x + dx * stride)),
      y: Math.min(height - 1, Math.max(0, y + dy * stride)),
    };
    tell();
  };

  const what = isDepth ? "Depth" : "Brightness";
  return (
    <div class={large ? "picture large" : "picture"}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`${what} of ${stream.name}; arrow keys move the point that is measured`}
        onPointerMove={point}
        onPointerLeave={() => {
          probe.value = null;
          tell();
        }}
        onKeyDown={step}
      />
      <output class="under">{under.value}</output>
      {scale.value && (
        <div class="scale">
          <span>{scale.value.low}</span>
          <i style={{ background: isDepth ? depthGradient : greyGradient }} />
          <span>{scale.value.high}</span>
        </div>
      )}
    </div>
  );
}

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Unit {
  words(value: number): string;
}

/** Metres where the descriptor says what a metre is, else the numbers as they are. */
export function unitOf(stream: Pick<StreamBody, "kind" | "units"> & { scale?: unknown }): Unit {
  if (stream.kind !== "depth") return { words: (value) => String(Math.round(value)) };
  const millimetres = /^mm\b|millimet|mostly mm/.test(stream.units ?? "mm") ? 0.001 : 1;
  const metres = typeof stream.scale === "number" ? stream.scale : millimetres;
  const unstated = stream.units !== undefined && !/^(mm|m)$/.test(stream.units);
  return { words: (value) => `${(value * metres).toFixed(2)} m${unstated ? " ?" : ""}` };
}

function valueAt({ width, values }: Pixels, x: number, y: number, unit: Unit): string {
  const value = values[y * width + x] ?? 0;
  return value === 0 ? "nothing measured" : unit.words(value);
}

/** Where the picture itself lies in its canvas, which CSS fits with bars beside it. */
function pictureBox(canvas: HTMLCanvasElement, { width, height }: Pixels) {
  const box = canvas.getBoundingClientRect();
  const scale = Math.min(box.width / width, box.height / height);
  const [wide, high] = [width * scale, height * scale];
  return {
    left: box.left + (box.width - wide) / 2,
    top: box.top + (box.height - high) / 2,
    width: wide,
    height: high,
  };
}
