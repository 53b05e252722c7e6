/** The scene as a camera of the headset takes it, pixel by pixel, into memory of the caller's. */
import { type CameraModel, rayTable } from "./camera-models.ts";
import { brightnessAt, castRays, type Hits } from "./scene.ts";

/**
 * @param pose of the camera's own frame to world (`cameraPoseAt`)
 * @param depth gets for each pixel millimetres along its ray, 0 where nothing is within the camera's range
 * @param ab gets for each pixel how much of the camera's own light comes back
 */
export function renderDepth(
  model: CameraModel,
  pose: ArrayLike<number>,
  depth: Uint16Array,
  ab?: Uint16Array,
): void {
  const { rangeMetres = 0 } = model;
  const { metres } = castFrom(model, pose);
  for (let pixel = 0; pixel < metres.length; pixel++) {
    const far = metres[pixel] as number;
    depth[pixel] = far <= rangeMetres ? 1000 * far + 0.5 : 0;
  }
  if (!ab) return;
  // It falls off with the square of the distance: of white, 300 is left at the end of the range.
  const light = (300 / 255) * rangeMetres ** 2;
  shadeAll(model, pose, (pixel, brightness) => {
    const far = metres[pixel] as number;
    ab[pixel] = Math.min((light * brightness) / (far * far), 0xffff);
  });
}

/** @param target gets for each pixel its brightness, 0 where there is nothing */
export function renderGrey(model: CameraModel, pose: ArrayLike<number>, target: Uint8Array): void {
  castFrom(model, pose);
  shadeAll(model, pose, (pixel, brightness) => {
    target[pixel] = brightness;
  });
}

/** Of the camera that was rendered last: one picture at a time. */
let hits: Hits = { metres: new Float64Array(0), met: new Uint8Array(0) };

function castFrom(model: CameraModel, pose: ArrayLike<number>): Hits {
  const pixels = model.width * model.height;
  if (hits.metres.length !== pixels) {
    hits = { metres: new Float64Array(pixels), met: new Uint8Array(pixels) };
  }
  castRays(pose, rayTable(model), hits);
  return hits;
}

function shadeAll(
  model: CameraModel,
  pose: ArrayLike<number>,
  take: (pixel: number, brightness: number) => void,
): void {
  const at = (index: number) => pose[index] as number;
  // One by one, for the sake of the loop: see castRays.
  const xx = at(0);
  const xy = at(1);
  const xz = at(2);
  const yx = at(4);
  const yy = at(5);
  const yz = at(6);
  const zx = at(8);
  const zy = at(9);
  const zz = at(10);
  const fromX = at(12);
  const fromY = at(13);
  const fromZ = at(14);
  const rays = rayTable(model);
  const { metres, met } = hits;
  for (let pixel = 0; pixel < metres.length; pixel++) {
    const surface = met[pixel] as number;
    const far = surface > 0 ? (metres[pixel] as number) : 0;
    const x = far * (rays[3 * pixel] as number);
    const y = far * (rays[3 * pixel + 1] as number);
    const z = far * (rays[3 * pixel + 2] as number);
    const inX = fromX + x * xx + y * yx + z * zx;
    const inY = fromY + x * xy + y * yy + z * zy;
    const inZ = fromZ + x * xz + y * yz + z * zz;
    take(pixel, brightnessAt(surface, inX, inY, inZ));
  }
}
