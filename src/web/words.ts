/** Numbers for people. */
import type { StreamBody } from "../api/schemas.ts";
import { pictureSize } from "../pictures/picture-size.ts";

const typeNames: Record<string, string> = { u: "uint", i: "int", f: "float", c: "complex" };

/** `<f4` as float32; records by their count of members. */
export function typeWords(dtype: StreamBody["dtype"]): string {
  if (typeof dtype !== "string") return `record of ${dtype.length}`;
  const [, letter = "", bytes = ""] = /^[<>|=]?([a-zA-Z])(\d+)$/.exec(dtype) ?? [];
  if (letter === "b") return "bool";
  return letter in typeNames ? `${typeNames[letter]}${Number(bytes) * 8}` : dtype;
}

export function shapeWords({ shape, dtype, links, pixelFormat }: StreamBody): string {
  if (links.jpg) {
    const { width, height } = pictureSize(pixelFormat, shape);
    return `${width} × ${height} ${pixelFormat ?? typeWords(dtype)}`;
  }
  if (shape.length === 0) return typeWords(dtype);
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""}) ${typeWords(dtype)}`;
}

export function rateWords(rate: number | null): string {
  if (rate === null) return "–";
  if (rate > 0 && rate < 1) return `${rate.toPrecision(2)}/s`;
  return `${rate.toFixed(rate < 100 ? 1 : 0)}/s`;
}

export function bytesWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}

export function flowWords(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? "–" : `${bytesWords(bytesPerSecond)}/s`;
}

export function ageWords(ageNs: string | null): string {
  if (ageNs === null) return "–";
  const seconds = Number(ageNs) / 1e9;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** Short and steady in width: six significant digits, whole numbers as they are. */
export function valueWords(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isInteger(value)) return value.toString();
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(3) : value.toPrecision(6);
}
