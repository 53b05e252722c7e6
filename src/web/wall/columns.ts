/** How many tiles stand side by side: groups take as many columns as they have tiles. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export const columnCount = signal(1);

/** Narrower tiles are not readable. */
const tileMinPx = 330;
const gapPx = 16;

export function useColumns() {
  const wall = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = wall.current;
    if (!element) return;
    const measure = () => {
      const fitting = Math.floor((element.clientWidth + gapPx) / (tileMinPx + gapPx));
      columnCount.value = Math.max(1, fitting);
      element.style.setProperty("--columns", String(columnCount.value));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return wall;
}
