/**
 * PNG's row filters for pixels of 4 bytes. Streams are decoded by the same loops in native/pixels.c; the
 * ones here encode, and are what tests hold those to.
 */
import { pngFilters } from "./codes.ts";

export const pixelBytes = 4;

interface Size {
  width: number;
  height: number;
}

/** Numbers in the file, which are not those of the protocol. */
const none = 0;
const sub = 1;
const up = 2;
const average = 3;
const paeth = 4;
const all = [none, sub, up, average, paeth];

/** @param rows each with the number of its filter before it. False: a number that is none. */
export function unfilterRows(
  rows: Uint8Array,
  { width, height }: Size,
  pixels: Uint8Array,
): boolean {
  const rowBytes = width * pixelBytes;
  for (let row = 0; row < height; row++) {
    const from = row * (rowBytes + 1) + 1;
    const to = row * rowBytes;
    const filter = rows[from - 1] as number;
    if (filter > paeth) return false;
    pixels.set(rows.subarray(from, from + rowBytes), to);
    if (filter !== none) unfilterRow(filter, pixels, { from: to, rowBytes });
  }
  return true;
}

interface Row {
  from: number;
  rowBytes: number;
}

/** In place. A loop for each filter: asking for it at each byte takes up to four times as long. */
function unfilterRow(filter: number, pixels: Uint8Array, { from, rowBytes }: Row): void {
  const above = from === 0 ? new Uint8Array(rowBytes) : pixels.subarray(from - rowBytes, from);
  const row = pixels.subarray(from, from + rowBytes);
  for (let i = 0; i < pixelBytes; i++) {
    row[i] = (row[i] as number) + predict(filter, 0, above[i] as number, 0);
  }
  if (filter === sub) addLeft(row);
  else if (filter === up) addAbove(row, above);
  else if (filter === average) addAverage(row, above);
  else addPaeth(row, above);
}

function addLeft(row: Uint8Array): void {
  for (let i = pixelBytes; i < row.length; i++) {
    row[i] = (row[i] as number) + (row[i - pixelBytes] as number);
  }
}

function addAbove(row: Uint8Array, above: Uint8Array): void {
  for (let i = pixelBytes; i < row.length; i++) {
    row[i] = (row[i] as number) + (above[i] as number);
  }
}

function addAverage(row: Uint8Array, above: Uint8Array): void {
  for (let i = pixelBytes; i < row.length; i++) {
    const sum = (row[i - pixelBytes] as number) + (above[i] as number);
    row[i] = (row[i] as number) + (sum >> 1);
  }
}

function addPaeth(row: Uint8Array, above: Uint8Array): void {
  for (let i = pixelBytes; i < row.length; i++) {
    const left = row[i - pixelBytes] as number;
    const up = above[i] as number;
    const corner = above[i - pixelBytes] as number;
    row[i] = (row[i] as number) + paethOf(left, up, corner);
  }
}

/** Of the three, the one nearest to left + above - corner. */
function paethOf(left: number, above: number, corner: number): number {
  const byLeft = Math.abs(above - corner);
  const byAbove = Math.abs(left - corner);
  const byCorner = Math.abs(left + above - 2 * corner);
  if (byLeft <= byAbove && byLeft <= byCorner) return left;
  return byAbove <= byCorner ? above : corner;
}

function predict(filter: number, left: number, above: number, corner: number): number {
  if (filter === paeth) return paethOf(left, above, corner);
  if (filter === sub) return left;
  if (filter === up) return above;
  return filter === average ? (left + above) >> 1 : 0;
}

/** Which filters each row is tried with, by what was asked for; the one of the least sum is taken. */
const tried: Record<number, number[]> = {
  [pngFilters.automatic]: [paeth],
  [pngFilters.none]: [none],
  [pngFilters.sub]: [sub],
  [pngFilters.up]: [up],
  [pngFilters.average]: [average],
  [pngFilters.paeth]: [paeth],
  [pngFilters.adaptive]: all,
};

/** @param asked a code of pngFilters */
export function filterRows(pixels: Uint8Array, { width, height }: Size, asked: number): Uint8Array {
  const rowBytes = width * pixelBytes;
  const rows = new Uint8Array(height * (rowBytes + 1));
  for (let row = 0; row < height; row++) {
    const candidates = (tried[asked] ?? [paeth]).map((filter) =>
      filterRow(filter, pixels, { from: row * rowBytes, rowBytes }),
    );
    rows.set(least(candidates), row * (rowBytes + 1));
  }
  return rows;
}

function filterRow(filter: number, pixels: Uint8Array, { from, rowBytes }: Row): Uint8Array {
  const above = from === 0 ? new Uint8Array(rowBytes) : pixels.subarray(from - rowBytes, from);
  const row = pixels.subarray(from, from + rowBytes);
  const filtered = new Uint8Array(1 + rowBytes);
  filtered[0] = filter;
  for (let i = 0; i < rowBytes; i++) {
    const left = i < pixelBytes ? 0 : (row[i - pixelBytes] as number);
    const corner = i < pixelBytes ? 0 : (above[i - pixelBytes] as number);
    filtered[1 + i] = (row[i] as number) - predict(filter, left, above[i] as number, corner);
  }
  return filtered;
}

/** The row whose differences, taken as signed, are smallest together: it packs best as a rule. */
function least(candidates: Uint8Array[]): Uint8Array {
  const [only] = candidates;
  if (only && candidates.length === 1) return only;
  const sum = (row: Uint8Array) =>
    row.reduce((total, byte, i) => (i === 0 ? 0 : total + (byte < 128 ? byte : 256 - byte)), 0);
  return candidates.reduce((best, row) => (sum(row) < sum(best) ? row : best));
}
