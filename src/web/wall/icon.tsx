/** Small pictures on buttons, whose names stand beside them for screen readers. */
import type { JSX } from "preact";

export type IconName = "start" | "stop" | "restart" | "details" | "open" | "busy" | "close";

/** Made anew each time: an element that is used again holds the tree that it stood in before. */
const shapes: Record<IconName, () => JSX.Element> = {
  start: () => <path class="filled" d="M5 3.5v9l7-4.5Z" />,
  stop: () => <path class="filled" d="M4 4h8v8H4Z" />,
  restart: () => <path d="M12.5 8A4.5 4.5 0 1 1 11 4.6M11.5 2v3h-3" />,
  details: () => <path d="M3 4.5h10M3 8h10M3 11.5h6" />,
  open: () => <path d="M9.5 3H13v3.5M13 3 9 7M6.5 13H3V9.5M3 13l4-4" />,
  busy: () => <path d="M4 8h.01M8 8h.01M12 8h.01" />,
  close: () => <path d="M4 4l8 8M12 4l-8 8" />,
};

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      {shapes[name]()}
    </svg>
  );
}
