/** A state in a word, a colour and a shape: whoever sees no colours tells them apart too. */
import type { JSX } from "preact";
import type { SensorBody, StreamBody } from "../../api/schemas.ts";

export type Tone = "good" | "busy" | "bad" | "off";

/** Made anew each time: an element that is used again holds the tree that it stood in before. */
const shapes: Record<Tone, () => JSX.Element> = {
  good: () => <circle class="filled" cx="6" cy="6" r="4" />,
  busy: () => <path d="M6 1.5 11 10.5H1Z" />,
  bad: () => <path d="M2 2 10 10M10 2 2 10" />,
  off: () => <path d="M2 2h8v8H2Z" />,
};

export function Mark({ tone, word, why }: { tone: Tone; word: string; why?: string }) {
  return (
    <span class={`mark ${tone}`} title={why}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {shapes[tone]()}
      </svg>
      {word}
    </span>
  );
}

export const streamTones: Record<StreamBody["state"], { tone: Tone; why: string }> = {
  live: { tone: "good", why: "Frames arrive" },
  stalled: { tone: "busy", why: "No frame for longer than its rate promises" },
  dead: { tone: "bad", why: "Its writer is gone; the ring is removed after 60 s" },
  retired: { tone: "off", why: "Its writer has ended it" },
};

export const sensorTones: Record<SensorBody["state"], Tone> = {
  running: "good",
  starting: "busy",
  connecting: "busy",
  waiting: "busy",
  restarting: "bad",
  stopping: "busy",
  stopped: "off",
  ended: "off",
  failed: "bad",
};
