/** Colour and grey pictures: each is decoded beside the page's own work and handed to a canvas whole. */
import { useRef } from "preact/hooks";
import type { FrameMessage } from "../../api/live-messages.ts";
import { pictureSize } from "../../pictures/picture-size.ts";
import { type Annotation, type Box, newestAnnotation } from "./annotations.ts";
import { drawBoxes } from "./box-overlay.ts";
import { painted, useFrames, type ViewProps } from "./view.ts";

interface Kept {
  frame: FrameMessage;
  jpeg: Uint8Array;
}

/** Results of a model come some frames late: so many pictures wait for theirs. */
const keptMax = 90;
/** Without a result for so long the picture is shown as it comes again. */
const annotatedMs = 1500;

export function PictureView({ stream, feed, large }: ViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<SVGSVGElement>(null);
  const kept = useRef<Kept[]>([]);
  const annotated = useRef<Annotation | null>(null);

  const draw = async ({ jpeg, frame }: Kept, boxes: Box[]) => {
    const blob = new Blob([jpeg as Uint8Array<ArrayBuffer>], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(blob);
    if (!canvas.current || !overlay.current) return bitmap.close();
    fit(canvas.current, bitmap);
    canvas.current.getContext("bitmaprenderer")?.transferFromImageBitmap(bitmap);
    canvas.current.dataset.sequence = String(frame.sequence);
    // Whatever lies above a canvas and changes costs the browser more than the picture itself.
    if (boxes.length > 0 || overlay.current.hasChildNodes()) {
      const size = pictureSize(stream.pixelFormat, frame.shape);
      drawBoxes(overlay.current, boxes, { size, large });
    }
    await painted();
  };

  useFrames(feed, async (frame) => {
    if (frame.payload?.kind !== "jpeg") return;
    const { data: jpeg } = frame.payload;
    const one = { frame, jpeg };
    const newest = newestAnnotation(stream.name);
    if (!newest || performance.now() - newest.atMs > annotatedMs) {
      annotated.current = null;
      kept.current = [];
      return draw(one, []);
    }
    // Boxes are drawn on the picture that they were found in, and on no other one.
    kept.current.push(one);
    if (kept.current.length > keptMax) kept.current.shift();
    if (newest === annotated.current) return;
    const found = kept.current.find(
      ({ frame: { generation, sequence } }) =>
        sequence === newest.sequence && generation === newest.generation,
    );
    if (!found) return annotated.current ? undefined : draw(one, []);
    annotated.current = newest;
    return draw(found, newest.boxes);
  });

  return (
    <div class={large ? "picture large" : "picture"}>
      <canvas ref={canvas} role="img" aria-label={`Pictures of ${stream.name}`} />
      <svg ref={overlay} class="boxes" aria-hidden="true" />
    </div>
  );
}

function fit(
  canvas: HTMLCanvasElement,
  { width, height }: { width: number; height: number },
): void {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
}
