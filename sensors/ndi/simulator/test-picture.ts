/**
 * A moving picture that tells what it is: ground in a colour of its source, bars in known colours, a bar that
 * wanders, and its own number in black and white blocks, which outlives any codec.
 */
import { fourCC } from "../libndi/structs.ts";
import { bytesBetween, type PixelWriter, writers } from "./pixel-writers.ts";

export interface PictureForm {
  width: number;
  height: number;
  /** Packed YUV; or with transparency: the upper half opaque, the lower half at alpha 128. */
  alpha: boolean;
  /** Bytes between the rows beside the pixels' own. */
  paddingBytes: number;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** By the number of the source in its process. */
export const grounds: readonly Colour[] = [
  [40, 80, 160],
  [40, 140, 60],
  [150, 60, 60],
  [130, 110, 30],
];

/** Across the lower third. */
export const bars: readonly Colour[] = [
  [235, 235, 235],
  [220, 220, 30],
  [30, 200, 200],
  [30, 200, 30],
  [200, 30, 200],
  [200, 30, 30],
  [30, 30, 200],
  [30, 30, 30],
];

const black: Colour = [16, 16, 16];
const white: Colour = [235, 235, 235];

/** The number's blocks stand side by side in the upper left corner, the highest bit first. */
export const numberBits = 16;

/** Edge of one block of the number, and width of the wandering bar. */
export function blockPixels(width: number): number {
  return 2 * Math.max(1, Math.floor(width / (4 * numberBits)));
}

export class TestPicture {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly strideBytes: number;
  readonly fourCC: number;
  readonly #ground: Uint8Array;
  readonly #form: PictureForm;
  readonly #writer: PixelWriter;
  #barAt = 0;

  /** @param source its number in its process, for the colour of its ground */
  constructor(form: PictureForm, source: number) {
    this.#form = form;
    this.#writer = writers[form.alpha ? "bgra" : "uyvy"](form.height);
    this.fourCC = form.alpha ? fourCC.BGRA : fourCC.UYVY;
    this.strideBytes = bytesBetween(this.#writer, form.width) + form.paddingBytes;
    this.data = new Uint8Array(this.strideBytes * form.height);
    this.#paintGround(grounds[source % grounds.length] as Colour);
    this.#ground = this.data.slice();
  }

  /** Only what moves is painted anew. */
  paint(number: number): void {
    const { width, height } = this.#form;
    const block = blockPixels(width);
    this.#restore(this.#barAt, block);
    this.#barAt = (number * 4) % Math.max(2, width - block);
    this.#fill({ x: this.#barAt, y: block, width: block, height: height - block }, white);
    for (let bit = 0; bit < numberBits; bit++) {
      const isSet = (number >> (numberBits - 1 - bit)) & 1;
      const place = { x: bit * block, y: 0, width: block, height: block };
      this.#fill(place, isSet ? white : black);
    }
  }

  #paintGround(ground: Colour): void {
    const { width, height } = this.#form;
    const third = Math.floor((height * 2) / 3);
    this.#fill({ x: 0, y: 0, width, height: third }, ground);
    for (const [i, bar] of bars.entries()) {
      const [from, to] = [i, i + 1].map((n) => 2 * Math.floor((n * width) / bars.length / 2));
      const end = i === bars.length - 1 ? width : (to as number);
      const x = from as number;
      this.#fill({ x, y: third, width: end - x, height: height - third }, bar);
    }
  }

  #fill(area: { x: number; y: number; width: number; height: number }, colour: Colour): void {
    const { unitBytes, unitPixels } = this.#writer;
    const from = Math.floor(area.x / unitPixels) * unitBytes;
    const row = new Uint8Array(bytesBetween(this.#writer, area.width));
    for (let y = area.y; y < area.y + area.height; y++) {
      // A row's bytes depend on where it stands only in its transparency.
      if (y === area.y || this.#writer.changesAt(y)) this.#writer.fill(row, colour, y);
      this.data.set(row, y * this.strideBytes + from);
    }
  }

  #restore(x: number, width: number): void {
    const from = Math.floor(x / this.#writer.unitPixels) * this.#writer.unitBytes;
    const bytes = bytesBetween(this.#writer, width);
    for (let at = from; at < this.data.length; at += this.strideBytes) {
      this.data.set(this.#ground.subarray(at, at + bytes), at);
    }
  }
}
