/**
 * A grey camera's picture, rendered with half as many columns and rows and enlarged: a quarter of the rays,
 * and edges as soft as a lens makes them. Loops over pixels, on plain arrays, as C would have them.
 */
import { type CameraModel, cameraModels } from "../world/camera-models.ts";
import { cameraPoseAt } from "../world/motion.ts";
import { renderGrey } from "../world/rendering.ts";

export type GreyStream = Extract<keyof typeof cameraModels, `vlc-${string}`>;

const halves = new Map<GreyStream, CameraModel>();

/** Its pixels lie in the middle of four of the camera's. */
function halfOf(stream: GreyStream): CameraModel {
  let half = halves.get(stream);
  if (!half) {
    const model: CameraModel = cameraModels[stream];
    const { fx, fy, skew, cx, cy } = model.lens;
    const scaled = {
      fx: fx / 2,
      fy: fy / 2,
      skew: skew / 2,
      cx: (cx - 0.5) / 2,
      cy: (cy - 0.5) / 2,
    };
    const [width, height] = [model.width / 2, model.height / 2];
    half = { ...model, width, height, lens: { ...model.lens, ...scaled } };
    halves.set(stream, half);
  }
  return half;
}

/** @param target gets the pixels, row after row */
export function greyPicture(stream: GreyStream, seconds: number, target: Uint8Array): void {
  const half = halfOf(stream);
  const small = new Uint8Array(half.width * half.height);
  renderGrey(half, cameraPoseAt(stream, seconds), small);
  enlarge(small, half, target);
}

/** To twice the size, each pixel of the four around it by how near they are: 9, 3, 3 and 1 parts. */
export function enlarge(
  small: Uint8Array,
  { width, height }: { width: number; height: number },
  target: Uint8Array,
): void {
  const lastColumn = width - 1;
  for (let row = 0, at = 0; row < 2 * height; row++) {
    const near = (row >> 1) * width;
    const beside =
      Math.min(Math.max((row >> 1) + ((row & 1) === 0 ? -1 : 1), 0), height - 1) * width;
    let before = 3 * (small[near] as number) + (small[beside] as number);
    let here = before;
    for (let column = 0; column < width; column++) {
      const next = column < lastColumn ? column + 1 : column;
      const after = 3 * (small[near + next] as number) + (small[beside + next] as number);
      target[at++] = (3 * here + before + 8) >> 4;
      target[at++] = (3 * here + after + 8) >> 4;
      before = here;
      here = after;
    }
  }
}
