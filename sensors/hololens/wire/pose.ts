/**
 * Poses: 4x4 floats, row by row, for row vectors: `[x y z 1] · M` takes a point of the sensor's frame to
 * the world (metres, right-handed, x right, y up, -z forward). Translation is the last row, elements 12
 * to 14. Read column by column, the same 16 numbers are the matrix for column vectors.
 */

/** Unit quaternion x, y, z, w. */
export type Quaternion = readonly [number, number, number, number];
export type Vector = readonly [number, number, number];

export const poseBytes = 64;

/** Sent while the headset does not know where it is. */
export const notLocated = new Float32Array(16);

/** @returns false also for a matrix that no pose can be: the stream goes on without it */
export function poseIsValid(pose: ArrayLike<number>): boolean {
  for (let i = 0; i < 16; i++) {
    if (!Number.isFinite(pose[i])) return false;
  }
  return Math.abs((pose[15] as number) - 1) <= 0.001;
}

/** Rotation by the quaternion, then translation. */
export function poseOf({ rotation, position }: { rotation: Quaternion; position: Vector }) {
  const [x, y, z, w] = rotation;
  return Float32Array.of(
    ...[1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y), 0],
    ...[2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x), 0],
    ...[2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y), 0],
    ...[...position, 1],
  );
}

/** First `a`, then `b`. */
export function poseThen(a: ArrayLike<number>, b: ArrayLike<number>): Float32Array {
  const product = new Float32Array(16);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) {
        sum += (a[4 * row + k] as number) * (b[4 * k + column] as number);
      }
      product[4 * row + column] = sum;
    }
  }
  return product;
}

/** The way back. Of rotation and translation only: the inverse rotation is the transposed one. */
export function poseInverse(pose: ArrayLike<number>): Float32Array {
  const at = (row: number, column: number) => pose[4 * row + column] as number;
  const inverse = new Float32Array(16);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) inverse[4 * row + column] = at(column, row);
    inverse[12 + row] = -(at(3, 0) * at(row, 0) + at(3, 1) * at(row, 1) + at(3, 2) * at(row, 2));
  }
  inverse[15] = 1;
  return inverse;
}

export function transformPoint(point: Vector, pose: ArrayLike<number>): Vector {
  const along = (column: number) =>
    point[0] * (pose[column] as number) +
    point[1] * (pose[4 + column] as number) +
    point[2] * (pose[8 + column] as number) +
    (pose[12 + column] as number);
  return [along(0), along(1), along(2)];
}
