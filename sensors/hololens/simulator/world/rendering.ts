/** The scene as a camera of the headset takes it, pixel by pixel, into memory of the caller's. */
import { type CameraModel, rayTable } from "./camera-models.ts";
import { brightnessAt, meet, metresMet } from "./scene.ts";

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
  // It falls off with the square of the distance: of white, 300 is left at the end of the range.
  const light = (300 / 255) * rangeMetres ** 2;
  eachPixel(model, pose, (pixel, met, x, y, z) => {
    const seen = met >= 0 && metresMet <= rangeMetres;
    depth[pixel] = seen ? Math.round(1000 * metresMet) : 0;
    if (!ab) return;
    const returned = met < 0 ? 0 : (light * brightnessAt(met, x, y, z)) / metresMet ** 2;
    ab[pixel] = Math.min(returned, 0xffff);
  });
}

/** @param target gets for each pixel its brightness, 0 where there is nothing */
export function renderGrey(model: CameraModel, pose: ArrayLike<number>, target: Uint8Array): void {
  eachPixel(model, pose, (pixel, met, x, y, z) => {
    target[pixel] = brightnessAt(met, x, y, z);
  });
}

/** @param take a pixel's number, the surface that its ray meets (-1: none), and where in the world */
function eachPixel(
  model: CameraModel,
  pose: ArrayLike<number>,
  take: (pixel: number, met: number, x: number, y: number, z: number) => void,
): void {
  const at = (index: number) => pose[index] as number;
  const [xx, xy, xz] = [at(0), at(1), at(2)];
  const [yx, yy, yz] = [at(4), at(5), at(6)];
  const [zx, zy, zz] = [at(8), at(9), at(10)];
  const [fromX, fromY, fromZ] = [at(12), at(13), at(14)];
  const rays = rayTable(model);
  const pixels = model.width * model.height;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const x = rays[2 * pixel] as number;
    const y = rays[2 * pixel + 1] as number;
    const scale = model.facing / Math.sqrt(x * x + y * y + 1);
    const dx = scale * (x * xx + y * yx + zx);
    const dy = scale * (x * xy + y * yy + zy);
    const dz = scale * (x * xz + y * yz + zz);
    const met = meet(fromX, fromY, fromZ, dx, dy, dz);
    const far = met < 0 ? 0 : metresMet;
    take(pixel, met, fromX + far * dx, fromY + far * dy, fromZ + far * dz);
  }
}
