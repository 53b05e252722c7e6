/** What a card shows of the newest frame: a picture, levels, values or text. */
import type { StreamBody } from "../api/schemas.ts";
import { decibelFloor, decibels, levels, newestValues, type Value } from "./decode.ts";
import { bytesWords, valueWords } from "./words.ts";

export interface Preview {
  element: HTMLElement;
  periodMs: number;
  /** Fetches the newest frame and shows it. Rejects when the hub does not answer. */
  refresh(): Promise<void>;
}

const fetchLimitMs = 5000;
const valuesMost = 24;
const textMost = 4000;

export function previewOf(stream: StreamBody): Preview {
  if (stream.links.jpg) return picture(stream, stream.links.jpg);
  if (stream.kind === "audio") return sound(stream);
  return stream.kind === "message" ? text(stream) : values(stream);
}

function picture({ name }: StreamBody, url: string): Preview {
  const frame = frameOf(url);
  const image = make("img", { alt: `Newest picture of ${name}` });
  const waiting = note("No frame yet");
  const element = make("div", {}, waiting);
  let shown = "";
  return {
    element: filling(element),
    periodMs: 1000,
    async refresh() {
      const response = await frame.newest((why) => waiting.replaceChildren(why));
      if (!response) return;
      const before = shown;
      shown = URL.createObjectURL(await response.blob());
      image.src = shown;
      await image.decode();
      URL.revokeObjectURL(before);
      if (!image.isConnected) element.replaceChildren(image);
    },
  };
}

function sound({ name, dims, links }: StreamBody): Preview {
  const frame = frameOf(links.bin);
  const element = make("div", { className: "levels" });
  const meters: Meter[] = [];
  return {
    element: filling(element),
    periodMs: 200,
    async refresh() {
      const response = await frame.newest();
      if (!response) return;
      const { bytes, dtype, shape } = await contents(response);
      const interleaved = dims ? dims.indexOf("channel") === 1 : (shape[0] ?? 0) > (shape[1] ?? 0);
      const channels = levels(bytes, dtype, shape, shape.length > 1 && interleaved ? 1 : 0);
      while (meters.length < Math.min(channels.length, 16)) {
        const meter = createMeter(`${name}, channel ${meters.length + 1}`, meters.length + 1);
        meters.push(meter);
        element.append(meter.element);
      }
      for (const [index, meter] of meters.entries()) {
        const { rms, peak } = channels[index] ?? { rms: 0, peak: 0 };
        meter.show(decibels(rms), decibels(peak));
      }
    },
  };
}

interface Meter {
  element: HTMLElement;
  show(rms: number, peak: number): void;
}

function createMeter(label: string, channel: number): Meter {
  const fill = make("i");
  const mark = make("b");
  const bar = make("div", { className: "bar" }, fill, mark);
  // Not <output>: a screen reader would speak it five times a second.
  const words = make("span");
  bar.setAttribute("role", "meter");
  bar.setAttribute("aria-label", `Level of ${label}`);
  bar.setAttribute("aria-valuemin", String(decibelFloor));
  bar.setAttribute("aria-valuemax", "0");
  return {
    element: make("div", { className: "level" }, `ch ${channel}`, bar, words),
    show(rms, peak) {
      const share = (level: number) => 100 * (1 - level / decibelFloor);
      fill.style.clipPath = `inset(0 ${100 - share(rms)}% 0 0)`;
      mark.hidden = peak <= decibelFloor;
      mark.style.left = `min(${share(peak)}%, 100% - 2px)`;
      words.textContent = rms > decibelFloor ? `${rms.toFixed(1)} dB` : "silent";
      bar.setAttribute("aria-valuenow", rms.toFixed(1));
      bar.setAttribute("aria-valuetext", words.textContent);
    },
  };
}

function values({ kind, links, units }: StreamBody): Preview {
  const frame = frameOf(links.bin);
  const list = make("dl", { className: "values" });
  const waiting = note("No frame yet");
  const element = make("div", {}, waiting);
  return {
    element: filling(element),
    periodMs: 500,
    async refresh() {
      const response = await frame.newest((why) => waiting.replaceChildren(why));
      if (!response) return;
      const { bytes, dtype, shape } = await contents(response);
      const newest = newestValues(bytes, dtype, shape, valuesMost);
      list.replaceChildren(
        ...named(kind, newest).map(({ name, value }) => {
          const words = typeof value === "string" ? value : valueWords(value);
          return make("div", {}, make("dt", {}, name), make("dd", {}, words));
        }),
      );
      list.title = units ?? "";
      const shown = newest.length > 0 ? list : note(`${bytesWords(bytes.length)} a frame`);
      element.replaceChildren(shown);
    },
  };
}

/** Three numbers of an IMU are its axes. */
function named(kind: StreamBody["kind"], values: Value[]): Value[] {
  const axes = ["x", "y", "z"];
  if (kind !== "imu" || values.length !== axes.length) return values;
  return values.map(({ name, value }, index) => ({ name: axes[index] ?? name, value }));
}

function text({ links, encoding }: StreamBody): Preview {
  const frame = frameOf(links.bin);
  const content = make("pre", { tabIndex: 0 });
  const waiting = note("No frame yet");
  const element = make("div", {}, waiting);
  return {
    element: filling(element),
    periodMs: 500,
    async refresh() {
      const response = await frame.newest((why) => waiting.replaceChildren(why));
      if (!response) return;
      const { bytes } = await contents(response);
      content.textContent = messageWords(bytes, encoding);
      if (!content.isConnected) element.replaceChildren(content);
    },
  };
}

function messageWords(bytes: Uint8Array, encoding: StreamBody["encoding"]): string {
  if (encoding === "msgpack") return `msgpack, ${bytesWords(bytes.length)}`;
  const words = new TextDecoder().decode(bytes);
  return (encoding === "json" ? indented(words) : words).slice(0, textMost);
}

function indented(json: string): string {
  try {
    const lines = JSON.stringify(JSON.parse(json), null, 2);
    return lines.replace(/\[[\s\d.,eE+-]+\]/g, (numbers) => numbers.replace(/\s+/g, " "));
  } catch {
    return json; // not what its descriptor says: shown as it is
  }
}

async function contents(response: Response) {
  const stated = (header: string) => JSON.parse(response.headers.get(header) ?? "null");
  return {
    bytes: await response.bytes(),
    dtype: stated("Streamem-Dtype") as StreamBody["dtype"],
    shape: stated("Streamem-Shape") as number[],
  };
}

/** The frame at a URL, when it is another one than before. */
function frameOf(url: string) {
  let etag = "";
  return {
    async newest(refused?: (why: string) => void): Promise<Response | null> {
      const response = await fetch(url, { signal: AbortSignal.timeout(fetchLimitMs) });
      if (!response.ok) {
        const problem = (await response.json()) as { detail: string };
        refused?.(problem.detail);
        return null;
      }
      const before = etag;
      etag = response.headers.get("ETag") ?? "";
      return etag !== "" && etag === before ? null : response;
    },
  };
}

function note(words: string): HTMLElement {
  return make("p", { className: "note" }, words);
}

function filling(element: HTMLElement): HTMLElement {
  element.style.height = "100%";
  return element;
}

/** An element with properties and content; text stays text. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
}
