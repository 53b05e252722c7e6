/**
 * What the simulated headset answers when asked for a calibration: tables made from its lenses, laid out
 * as on the wire.
 *
 * Both tables count as those of a real headset do (its saved calibration, compared with each other, agrees
 * to 0.001 pixels with this reading and with no other): the table of rays is of the centres of pixels; the
 * undistort map counts columns and rows from the picture's edge, so that the centre of the first pixel is at
 * 0.5; and pixel i of the undistorted image shows what is at (i - cx) / fx on the plane, without a half.
 * The undistorted image is what all pixels together see, stretched over the same size in each direction:
 * that makes fx and fy differ, as they do there.
 */
import {
  ahatCalibration,
  type calibrations,
  imuCalibration,
  longthrowCalibration,
  pvCalibration,
  pvIntrinsicsMatrix,
  vlcCalibration,
} from "../../wire/calibration.ts";
import {
  type CameraModel,
  cameraModels,
  project,
  pvIntrinsics,
  rayTable,
  type Size,
} from "./camera-models.ts";
import { pvPlace, rigExtrinsics } from "./rig.ts";

/** Units of depth in a metre. */
const scale = 1000;
/** Depths of the near camera repeat after so many units. */
const alias = 1055;

export type CalibratedStream = keyof typeof calibrations;

/**
 * @param format of the colour camera, pixels; default: its usual size
 * @returns the whole answer to mode 2
 */
export function calibrationBytes(stream: CalibratedStream, format?: Size): Uint8Array {
  if (stream === "pv") return pvBytes(format);
  let bytes = made.get(stream);
  if (!bytes) {
    bytes = makeBytes(stream);
    made.set(stream, bytes);
  }
  return bytes;
}

/** Some tenths of a second each: made once. */
const made = new Map<CalibratedStream, Uint8Array>();

function makeBytes(stream: Exclude<CalibratedStream, "pv">): Uint8Array {
  const extrinsics = rigExtrinsics[stream];
  if (stream === "accelerometer" || stream === "gyroscope")
    return imuCalibration.encode({ extrinsics });
  const tables = { ...tablesOf(cameraModels[stream]), extrinsics };
  if (stream === "depth-ahat") return ahatCalibration.encode({ ...tables, scale, alias });
  if (stream === "depth-longthrow") return longthrowCalibration.encode({ ...tables, scale });
  return vlcCalibration.encode(tables);
}

function pvBytes(format: Size | undefined): Uint8Array {
  const { focalLength, principalPoint } = pvIntrinsics(format);
  return pvCalibration.encode({
    focalLength: Float32Array.from(focalLength),
    principalPoint: Float32Array.from(principalPoint),
    radialDistortion: new Float32Array(3),
    tangentialDistortion: new Float32Array(2),
    projection: pvIntrinsicsMatrix(focalLength, principalPoint),
    extrinsics: rigExtrinsics.pv,
    mediaIntrinsics: Float32Array.of(...focalLength, ...principalPoint),
    mediaExtrinsics: Float32Array.of(...pvPlace.position, ...pvPlace.rotation),
  });
}

function tablesOf(model: CameraModel) {
  const [uv2x, uv2y] = rayPlanes(model);
  const across = stretched(uv2x, model.width);
  const down = stretched(uv2y, model.height);
  const intrinsics = Float32Array.of(across.focal, down.focal, across.centre, down.centre);
  return { uv2x, uv2y, intrinsics, ...undistortMap(model, intrinsics) };
}

/** 0, 0 where a pixel sees nothing. */
function rayPlanes(model: CameraModel): [x: Float32Array, y: Float32Array] {
  const rays = rayTable(model);
  const pixels = rays.length / 3;
  const [xs, ys] = [new Float32Array(pixels), new Float32Array(pixels)];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const z = rays[3 * pixel + 2] as number;
    if (Number.isNaN(z)) continue;
    xs[pixel] = (rays[3 * pixel] as number) / z;
    ys[pixel] = (rays[3 * pixel + 1] as number) / z;
  }
  return [xs, ys];
}

function stretched(plane: Float32Array, pixels: number): { focal: number; centre: number } {
  let [least, most] = [0, 0];
  for (const value of plane) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const focal = (pixels - 1) / (most - least);
  return { focal, centre: -least * focal };
}

/** Outside the picture it says so by what it says; -1, -1 only where the lens sees nothing. */
function undistortMap(model: CameraModel, [fx = 1, fy = 1, cx = 0, cy = 0]: Float32Array) {
  const { width, height } = model;
  const undistortX = new Float32Array(width * height);
  const undistortY = new Float32Array(width * height);
  for (let j = 0, at = 0; j < height; j++) {
    for (let i = 0; i < width; i++, at++) {
      const pixel = project(model, [(i - cx) / fx, (j - cy) / fy, 1]);
      undistortX[at] = pixel ? pixel[0] + 0.5 : -1;
      undistortY[at] = pixel ? pixel[1] + 0.5 : -1;
    }
  }
  return { undistortX, undistortY };
}
