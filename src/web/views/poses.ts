/** What of a pose stream can be drawn: heads, rays, hands, frames of reference, all in the stream's own metres. */
import type { StreamBody } from "../../api/schemas.ts";
import { lastRow } from "./records.ts";

export type Point = [number, number, number];

export interface Line {
  from: Point;
  to: Point;
  /** Name of a CSS colour variable. */
  colour: string;
  /** Stands at its end. */
  label?: string;
  /** An arrow's length says nothing: it does not count for what must fit in. */
  ray?: boolean;
}

export interface Dot {
  at: Point;
  colour: string;
}

export interface Scene {
  lines: Line[];
  dots: Dot[];
  /** What is there and not valid now, by name. */
  missing: string[];
}

const rayMetres = 1;
const axisMetres = 0.2;
/** Wrist to tip, by the order of OpenXR's joints: palm, wrist, thumb of four, four fingers of five. */
const fingers = [
  [1, 2, 3, 4, 5],
  ...[6, 11, 16, 21].map((first) => [1, first, first + 1, first + 2, first + 3, first + 4]),
];
const colours = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];

/** @param fields the frame's own: `X_valid` 0 says that member X holds nothing new */
export function sceneOf(
  data: Uint8Array,
  stream: Pick<StreamBody, "dtype" | "shape">,
  fields: Record<string, unknown>,
): Scene {
  const scene: Scene = { lines: [], dots: [], missing: [] };
  const values = lastRow(data, stream);
  const array = typeof stream.dtype === "string" ? numbers(wholeArray(data, stream)) : null;
  if (array) {
    addArray(scene, array);
    return scene;
  }
  for (const name of values.keys()) {
    const [, thing = "", what] = /^(.+)_(position|origin)$/.exec(name) ?? [];
    if (!what) continue;
    if (fields[`${thing}_valid`] === 0) {
      scene.missing.push(wordsOf(thing));
      continue;
    }
    const places = numbers(values.get(name) ?? []);
    const colour = colours[scene.lines.length % colours.length] as string;
    if (places.length > 3) addHand(scene, places, thing);
    else if (isPoint(places)) addThing(scene, { thing, at: places, values, colour });
  }
  return scene;
}

function addThing(
  scene: Scene,
  {
    thing,
    at,
    values,
    colour,
  }: { thing: string; at: Point; values: Map<string, (number | bigint)[]>; colour: string },
): void {
  scene.dots.push({ at, colour });
  const of = (what: string) => numbers(values.get(`${thing}_${what}`) ?? []);
  const [forward, up] = [of("direction"), of("up")];
  const ahead = isPoint(forward) ? forward : of("forward");
  const label = wordsOf(thing);
  if (isPoint(ahead)) {
    scene.lines.push({ from: at, to: along(at, ahead, rayMetres), colour, label, ray: true });
  }
  if (isPoint(up)) {
    scene.lines.push({ from: at, to: along(at, up, axisMetres), colour: "--quiet" });
  }
}

function addHand(scene: Scene, places: number[], thing: string): void {
  const joints = Array.from({ length: Math.floor(places.length / 3) }, (_, joint) =>
    places.slice(joint * 3, joint * 3 + 3),
  ).filter(isPoint);
  const colour = thing.includes("left") ? "--line-2" : "--line-3";
  for (const at of joints) scene.dots.push({ at, colour });
  if (joints.length !== 26) return;
  for (const finger of fingers) {
    for (let bone = 1; bone < finger.length; bone++) {
      const [from, to] = [joints[finger[bone - 1] as number], joints[finger[bone] as number]];
      if (from && to) scene.lines.push({ from, to, colour });
    }
  }
  const [palm] = joints;
  if (palm) scene.lines.push({ from: palm, to: palm, colour, label: wordsOf(thing) });
}

/** A 4x4 matrix of row vectors is a frame of reference, three numbers (or a pose of seven) a point. */
function addArray(scene: Scene, values: number[]): void {
  if (values.length === 16) {
    const at = values.slice(12, 15);
    if (!isPoint(at)) return;
    for (const [row, name] of ["x", "y", "z"].entries()) {
      const axis = values.slice(row * 4, row * 4 + 3);
      if (!isPoint(axis)) continue;
      const to = along(at, axis, axisMetres);
      scene.lines.push({ from: at, to, colour: colours[row] as string, label: name });
    }
  } else {
    const at = values.slice(0, 3);
    if (isPoint(at)) scene.dots.push({ at, colour: "--line-1" });
  }
}

/** All numbers of an array's last frame, whatever its shape. */
function wholeArray(data: Uint8Array, { dtype, shape }: Pick<StreamBody, "dtype" | "shape">) {
  const count = shape.reduce((product, length) => product * length, 1);
  return lastRow(data, { dtype, shape: [count] }).get("") ?? [];
}

function numbers(values: readonly (number | bigint)[]): number[] {
  return values.map(Number);
}

function isPoint(values: number[]): values is Point {
  return values.length === 3 && values.every(Number.isFinite);
}

function along([x, y, z]: Point, [dx, dy, dz]: Point, length: number): Point {
  const size = Math.hypot(dx, dy, dz) || 1;
  const scale = length / size;
  return [x + dx * scale, y + dy * scale, z + dz * scale];
}

function wordsOf(thing: string): string {
  return thing.replaceAll("_", " ");
}
