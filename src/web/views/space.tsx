/** Head, gaze and hands in a small view of space. Drag, or the arrow keys, turn it. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { FrameMessage } from "../../api/live-messages.ts";
import { type Scene, sceneOf } from "./poses.ts";
import { type Camera, follow, project } from "./projection.ts";
import { framesOf, painted, useDrawing, useFrames, type ViewProps } from "./view.ts";

const drawPeriodMs = 30;
const turnRadians = 0.15;

export function SpaceView({ stream, feed, large }: ViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const camera = useRef<Camera | null>(null);
  const scene = useRef<Scene | null>(null);
  /** Of a burst only what is drawn is made a scene. */
  const newest = useRef<(Pick<FrameMessage, "fields" | "sequence"> & { data: Uint8Array }) | null>(
    null,
  );
  const missing = useSignal("");

  const draw = () => {
    if (canvas.current && scene.current && camera.current) {
      drawScene(canvas.current, scene.current, camera.current);
    }
  };

  const drawNewest = useDrawing(drawPeriodMs, () => {
    if (!canvas.current || !newest.current) return;
    const { data, fields, sequence } = newest.current;
    scene.current = sceneOf(data, stream, fields);
    const isFirst = camera.current === null;
    camera.current ??= { yaw: 0.7, pitch: 0.35, centre: [0, 0, 0], reach: 1 };
    follow(camera.current, scene.current, isFirst ? 1 : 0.05);
    draw();
    missing.value = missingWords(scene.current.missing);
    canvas.current.dataset.sequence = String(sequence);
  });

  useFrames(feed, async ({ payload, fields, sequence }) => {
    const data = framesOf(payload).at(-1)?.data;
    if (!data) return;
    newest.current = { data, fields, sequence };
    drawNewest();
    await painted();
  });

  const turn = (yaw: number, pitch: number) => {
    if (!camera.current) return;
    camera.current.yaw += yaw;
    camera.current.pitch = Math.max(-1.5, Math.min(1.5, camera.current.pitch + pitch));
    draw();
  };
  const drag = ({ buttons, movementX, movementY }: PointerEvent) => {
    if (buttons & 1) turn(-movementX / 150, movementY / 150);
  };
  const key = (event: KeyboardEvent) => {
    const [yaw, pitch] = turns[event.key] ?? [0, 0];
    if (yaw === 0 && pitch === 0) return;
    event.preventDefault();
    turn(yaw * turnRadians, pitch * turnRadians);
  };

  return (
    <div class={large ? "space large" : "space"}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`${stream.name} in space; arrow keys turn it`}
        onPointerDown={(event) => canvas.current?.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={key}
      />
      <p class="missing">{missing.value}</p>
    </div>
  );
}

const turns: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function missingWords(names: string[]): string {
  return names.length === 0 ? "" : `not seen now: ${names.join(", ")}`;
}

function drawScene(canvas: HTMLCanvasElement, { lines, dots }: Scene, camera: Camera): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = Math.min(2, window.devicePixelRatio);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== width * ratio) canvas.width = width * ratio;
  if (canvas.height !== height * ratio) canvas.height = height * ratio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const css = getComputedStyle(canvas);
  const colour = (name: string) => css.getPropertyValue(name);

  drawFloor(context, camera, colour("--line"), { width, height });
  context.lineWidth = 2;
  context.lineCap = "round";
  context.font = `12px ${css.fontFamily}`;
  for (const line of lines) {
    const [from, to] = [
      project(line.from, camera, width, height),
      project(line.to, camera, width, height),
    ];
    context.strokeStyle = context.fillStyle = colour(line.colour);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    if (line.label) context.fillText(line.label, to.x + 6, to.y - 6);
  }
  for (const dot of dots) {
    const { x, y, near } = project(dot.at, camera, width, height);
    context.fillStyle = colour(dot.colour);
    context.beginPath();
    context.arc(x, y, Math.max(1.5, 2.5 + near), 0, 2 * Math.PI);
    context.fill();
  }
}

const floorLines = 4;

/** A grid below what is drawn: without it nothing says where down is. */
function drawFloor(
  context: CanvasRenderingContext2D,
  camera: Camera,
  colour: string,
  { width, height }: { width: number; height: number },
): void {
  const [x0, y0, z0] = camera.centre;
  const { reach } = camera;
  const y = y0 - reach * 0.8;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let line = -floorLines; line <= floorLines; line++) {
    const at = (line / floorLines) * reach;
    const ends = [
      [
        project([x0 - reach, y, z0 + at], camera, width, height),
        project([x0 + reach, y, z0 + at], camera, width, height),
      ],
      [
        project([x0 + at, y, z0 - reach], camera, width, height),
        project([x0 + at, y, z0 + reach], camera, width, height),
      ],
    ] as const;
    for (const [from, to] of ends) {
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
    }
  }
  context.stroke();
}
