/** Boxes with their names above a picture, in the pixels of the frame they were found in. */
import type { PictureSize } from "../../pictures/picture-size.ts";
import type { Box } from "./annotations.ts";

const svgSpace = "http://www.w3.org/2000/svg";

interface Sheet {
  /** Of the frame, in whose pixels the boxes are counted: its preview may be smaller. */
  size: PictureSize;
  /** On a small picture letters are larger beside it. */
  large: boolean;
}

/** Replaces what was drawn before. */
export function drawBoxes(svg: SVGSVGElement, boxes: Box[], { size, large }: Sheet): void {
  const { width, height } = size;
  const letterHeight = height / (large ? 32 : 14);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(
    ...boxes.flatMap(({ label, box: [x, y, w, h] }) => [
      element("rect", { x, y, width: w, height: h }),
      ...(label ? [textAt(label, x, y, letterHeight)] : []),
    ]),
  );
}

function textAt(label: string, x: number, y: number, size: number): SVGElement {
  const text = element("text", { x: x + size / 4, y: Math.max(size, y - size / 3) });
  text.setAttribute("font-size", String(size));
  text.textContent = label;
  return text;
}

function element(name: string, attributes: Record<string, number>): SVGElement {
  const made = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
