/**
 * The simulated headset's cameras.
 *
 * The lenses of long throw and of the left front camera are fitted (least squares, in pixels) to the tables
 * in the saved calibration of one HoloLens 2 that is published with the hl2ss reference client. How far
 * these models are from its tables, over all pixels: see `residual`.
 *
 * That calibration lacks the others: `derived` says what is assumed of them.
 */
import type { StreamName } from "../../wire/ports.ts";
import type { Vector } from "../../wire/pose.ts";
import {
  type Lens,
  mirrored,
  type Pixel,
  type PlanePoint,
  projector,
  unprojector,
} from "./lens.ts";
import { rigExtrinsics } from "./rig.ts";

export interface Size {
  width: number;
  height: number;
}

export interface CameraModel extends Size {
  lens: Lens;
  /** 1: looks along +z; -1: along -z, as the colour camera does. The plane is at z = 1 for both. */
  facing: 1 | -1;
  /** Rig node to camera, 4x4 for row vectors: p_camera = p_rig · E. */
  extrinsics: Float32Array;
  /** Of a depth camera: it tells nothing beyond; the near one's depths would repeat. */
  rangeMetres?: number;
  /** What is assumed, where nothing was measured. */
  derived?: string;
  /** Root mean square and largest distance from the measured table: on the plane at z = 1, and in pixels. */
  residual?: { plane: [rms: number, max: number]; pixels: [rms: number, max: number] };
}

export type CameraStream = Exclude<
  keyof typeof rigExtrinsics,
  "accelerometer" | "gyroscope" | "magnetometer"
>;

const none = [0, 0, 0, 0] as const;
const centred = { skew: 0, tangential: [0, 0], prism: none, rotation: [0, 0, 0] } as const;
const grey = { width: 640, height: 480, facing: 1 } as const;

const leftFrontLens: Lens = {
  fx: 369.119,
  fy: 368.979,
  cx: 288.181,
  cy: 232.206,
  skew: 0.1025,
  radialOf: "tangent",
  radial: [-0.017519, 0.036964, -0.02468, 0.006323],
  tangential: [-0.011924, -0.04171],
  prism: [0.043824, -0.001317, 0.008356, -0.000057],
  rotation: [-0.022149, 0.040672, -0.022561],
  halfFieldDegrees: 52,
};

const sideLens: Lens = {
  ...leftFrontLens,
  ...centred,
  fy: leftFrontLens.fx,
  cx: 319.5,
  cy: 239.5,
};

const longthrowLens: Lens = {
  fx: 252.851,
  fy: 253.077,
  cx: 166.043,
  cy: 158.652,
  skew: 0.0766,
  radialOf: "angle",
  radial: [0.006686, -0.059402, 0.071169, -0.04274],
  tangential: [-0.000768, 0.000864],
  prism: [-0.006256, -0.000746, 0.007988, 0.002827],
  rotation: [-0.016056, -0.012327, 0.000175],
  halfFieldDegrees: 55,
};

export const cameraModels = {
  "vlc-leftfront": {
    ...grey,
    lens: leftFrontLens,
    extrinsics: rigExtrinsics["vlc-leftfront"],
    residual: { plane: [0.00016, 0.0014], pixels: [0.056, 0.48] },
  },
  "vlc-rightfront": {
    ...grey,
    lens: mirrored(leftFrontLens, grey.width),
    extrinsics: rigExtrinsics["vlc-rightfront"],
    derived: "the mirror image of the left front camera, 10 cm to its right",
  },
  "vlc-leftleft": {
    ...grey,
    lens: sideLens,
    extrinsics: rigExtrinsics["vlc-leftleft"],
    derived: "the left front camera's lens, centred, turned outwards by 75 degrees",
  },
  "vlc-rightright": {
    ...grey,
    lens: sideLens,
    extrinsics: rigExtrinsics["vlc-rightright"],
    derived: "the left front camera's lens, centred, turned outwards by 75 degrees",
  },
  "depth-longthrow": {
    width: 320,
    height: 288,
    facing: 1,
    lens: longthrowLens,
    rangeMetres: 7.5,
    extrinsics: rigExtrinsics["depth-longthrow"],
    residual: { plane: [0.00011, 0.0007], pixels: [0.019, 0.067] },
  },
  "depth-ahat": {
    width: 512,
    height: 512,
    facing: 1,
    lens: {
      ...centred,
      fx: 253,
      fy: 253,
      cx: 258,
      cy: 256,
      radialOf: "angle",
      radial: none,
      halfFieldDegrees: 63,
    },
    rangeMetres: 1,
    extrinsics: rigExtrinsics["depth-longthrow"],
    derived:
      "long throw's sensor, place and focal length with its whole picture: a lens whose distances from the " +
      "centre are as the angles, and no light in the corners beyond 63 degrees",
  },
  pv: {
    width: 1280,
    height: 720,
    facing: -1,
    lens: {
      ...centred,
      fx: -1010.5,
      fy: 1010.5,
      cx: 637.2,
      cy: 362.4,
      radialOf: "tangent",
      radial: none,
      halfFieldDegrees: 60,
    },
    extrinsics: rigExtrinsics.pv,
    derived: "no distortion and a horizontal field of 64.7 degrees; its place is measured",
  },
} as const satisfies Partial<Record<StreamName, CameraModel>> & Record<CameraStream, CameraModel>;

/** @returns where the ray of a pixel meets the plane at z = 1; null where the lens shows nothing */
export function rayOf(model: CameraModel, u: number, v: number): PlanePoint | null {
  return functionsOf(model).unproject(u, v);
}

/**
 * @param point metres, of the camera's frame
 * @returns the pixel, perhaps outside the picture; null: behind the camera or beyond the lens' field
 */
export function project(model: CameraModel, [x, y, z]: Vector): Pixel | null {
  return z * model.facing > 0 ? functionsOf(model).project(x / z, y / z) : null;
}

/**
 * What the colour camera tells of a size: its picture is scaled, not cut.
 *
 * @param format pixels; default: the size of the model
 * @returns pixels
 */
export function pvIntrinsics({ width, height }: Size = cameraModels.pv): {
  focalLength: [x: number, y: number];
  principalPoint: [x: number, y: number];
} {
  const model = cameraModels.pv;
  const across = width / model.width;
  const down = height / model.height;
  // Pixels are counted from the centre of the first one, which lies half a pixel inside the picture.
  const scaled = (centre: number, scale: number) => (centre + 0.5) * scale - 0.5;
  return {
    focalLength: [-model.lens.fx * across, model.lens.fy * down],
    principalPoint: [scaled(model.lens.cx, across), scaled(model.lens.cy, down)],
  };
}

const functions = new WeakMap<
  CameraModel,
  { project: ReturnType<typeof projector>; unproject: ReturnType<typeof unprojector> }
>();

function functionsOf(model: CameraModel) {
  let known = functions.get(model);
  if (!known) {
    known = { project: projector(model.lens), unproject: unprojector(model.lens) };
    functions.set(model, known);
  }
  return known;
}

const tables = new WeakMap<CameraModel, Float32Array>();

/** @returns of each pixel x, y, z of its ray, of length 1, in the camera's frame; NaN: it has none. Made once */
export function rayTable(model: CameraModel): Float32Array {
  let table = tables.get(model);
  if (!table) {
    table = makeRayTable(model);
    tables.set(model, table);
  }
  return table;
}

function makeRayTable(model: CameraModel): Float32Array {
  const { width, height, facing } = model;
  const table = new Float32Array(3 * width * height);
  for (let v = 0, at = 0; v < height; v++) {
    for (let u = 0; u < width; u++, at += 3) {
      const [x, y] = rayOf(model, u, v) ?? [NaN, NaN];
      const scale = facing / Math.hypot(x, y, 1);
      table.set([scale * x, scale * y, scale], at);
    }
  }
  return table;
}
