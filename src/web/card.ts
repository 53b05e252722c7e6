/** One stream on the page: its state, its newest frame, its numbers. */
import type { StreamBody } from "../api/schemas.ts";
import { make, type Preview, previewOf } from "./previews.ts";
import { ageWords, bytesWords, flowWords, rateWords, shapeWords, typeWords } from "./words.ts";

/** A shape for each state, so that colour is not all that tells them apart. */
const shapes: Record<StreamBody["state"], string> = {
  live: '<circle class="filled" cx="6" cy="6" r="4"/>',
  stalled: '<path d="M6 1.5 11 10.5H1Z"/>',
  dead: '<path d="M2 2 10 10M10 2 2 10"/>',
  retired: '<path d="M2 2h8v8H2Z"/>',
};

const stateWords: Record<StreamBody["state"], string> = {
  live: "Frames arrive",
  stalled: "No frame for longer than its rate promises",
  dead: "Its writer is gone; the ring is removed after 60 s",
  retired: "Its writer has ended it",
};

export interface Card {
  element: HTMLElement;
  /** Of what is shown: another one needs another card. */
  generation: string;
  update(stream: StreamBody): void;
  remove(): void;
}

export function createCard(first: StreamBody): Card {
  const preview = previewOf(first);
  const state = make("span", { className: "state" });
  const title = make("h2", { id: `stream-${first.name}`, title: first.name }, first.name);
  const facts = make("dl", { className: "facts" });
  const element = make(
    "article",
    { className: "card" },
    make("header", {}, title, state),
    make("div", { className: "preview" }, preview.element),
    facts,
    links(first),
  );
  element.setAttribute("aria-labelledby", title.id);
  let empty = true;
  const stop = refreshing(preview, element, () => !empty);

  function update(stream: StreamBody): void {
    empty = stream.lastSequence === "0";
    if (element.dataset.state !== stream.state) {
      element.dataset.state = stream.state;
      state.innerHTML = `<svg viewBox="0 0 12 12" aria-hidden="true">${shapes[stream.state]}</svg>`;
      state.append(stream.state);
      state.title = stateWords[stream.state];
    }
    facts.replaceChildren(
      fact("Rate", rateWords(stream.measuredRate), rateTitle(stream)),
      fact("Age", ageWords(stream.ageNs), "Since the newest frame was published"),
      fact("Bytes", flowWords(stream.bytesPerSecond), reservedTitle(stream)),
      wide(fact("Frame", frameWords(stream), `NumPy type ${JSON.stringify(stream.dtype)}`)),
    );
  }

  update(first);
  return {
    element,
    generation: first.shm.generation,
    update,
    remove() {
      stop();
      element.remove();
    },
  };
}

/** Only while somebody can see it. A hub that does not answer is the page's business, not the card's. */
function refreshing(preview: Preview, element: HTMLElement, worthIt: () => boolean): () => void {
  let [visible, stopped] = [false, false];
  let timer = 0;
  const turn = async () => {
    clearTimeout(timer);
    if (visible && !document.hidden && worthIt()) await preview.refresh().catch(() => {});
    clearTimeout(timer);
    if (!stopped) timer = window.setTimeout(turn, preview.periodMs);
  };
  const observer = new IntersectionObserver((entries) => {
    const before = visible;
    visible = entries.some((entry) => entry.isIntersecting);
    if (visible && !before) turn();
  });
  observer.observe(element);
  return () => {
    stopped = true;
    clearTimeout(timer);
    observer.disconnect();
  };
}

function fact(name: string, value: string, title: string): HTMLElement {
  return make("div", { title }, make("dt", {}, name), make("dd", {}, value));
}

function wide(element: HTMLElement): HTMLElement {
  element.classList.add("wide");
  return element;
}

function frameWords(stream: StreamBody): string {
  const { kind, sampleRateHz, encoding, units, dtype } = stream;
  if (kind === "message") return `${encoding ?? typeWords(dtype)} messages`;
  const sound = sampleRateHz ? `${sampleRateHz / 1000} kHz` : null;
  return [shapeWords(stream), sound, units].filter(Boolean).join(" · ");
}

function rateTitle({ rate, counters }: StreamBody): string {
  const promised = rate ? `Its writer promises ${rate}/s. ` : "";
  return `${promised}Measured over about 2 s; ${counters.frames} frames so far`;
}

function reservedTitle({ reservedBytes, shm }: StreamBody): string {
  return `The ring takes ${bytesWords(reservedBytes)} of memory for ${shm.slotCount} frames`;
}

function links({ name, sensor, kind, links }: StreamBody): HTMLElement {
  const link = (words: string, href: string) => {
    const anchor = make("a", { href }, words);
    anchor.setAttribute("aria-label", `${words} of ${name}`);
    return anchor;
  };
  const origin = sensor ? `${kind} from ${sensor}` : `${kind} from another program`;
  return make(
    "p",
    { className: "links" },
    make("span", { title: origin }, origin),
    ...(links.png ? [link("PNG", links.png)] : []),
    link("NumPy", links.npy),
    link("JSON", links.self),
  );
}
