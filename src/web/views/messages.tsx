/** Messages: the last ones, newest first, with what they refer to. Boxes in them go to the pictures they speak of. */
import { useSignal } from "@preact/signals";
import { Unpackr } from "msgpackr/index-no-eval";
import type { StreamBody } from "../../api/schemas.ts";
import { bytesWords } from "../words.ts";
import { annotate, type Reference, referenceOf } from "./annotations.ts";
import { framesOf, useFrames, type ViewProps } from "./view.ts";

interface Said {
  key: string;
  at: string;
  words: string;
  reference: Reference | null;
}

const keptMax = 60;
const lettersMax = 4000;
const tileLettersMax = 400;
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

export function MessagesView({ stream, feed, large }: ViewProps) {
  const said = useSignal<Said[]>([]);

  useFrames(feed, ({ payload, generation }) => {
    const fresh = framesOf(payload).map((frame): Said => {
      const { value, words } = read(frame.data, stream.encoding, large);
      const reference = referenceOf(frame.fields);
      if (reference) annotate(reference, value);
      const at = new Date(Number(frame.publishUtcNs / 1_000_000n));
      return {
        key: `${generation}.${frame.sequence}`,
        at: at.toLocaleTimeString(),
        words,
        reference,
      };
    });
    if (fresh.length > 0) said.value = [...fresh.reverse(), ...said.value].slice(0, keptMax);
  });

  return (
    // Focusable, so that the keyboard can scroll it.
    <ol class="messages" tabIndex={0} aria-label={`Messages of ${stream.name}, newest first`}>
      {said.value.map(({ key, at, words, reference }) => (
        <li key={key}>
          <span class="when">
            <time>{at}</time>
            {reference && ` about ${reference.stream} frame ${reference.sequence}`}
          </span>
          <pre>{words}</pre>
        </li>
      ))}
    </ol>
  );
}

/** Whatever a stranger sends is text in the end. */
function read(
  data: Uint8Array,
  encoding: StreamBody["encoding"],
  large: boolean,
): { value: unknown; words: string } {
  try {
    if (encoding === "msgpack") {
      const value = unpackr.unpack(data);
      return { value, words: jsonWords(value, large) };
    }
    const text = new TextDecoder().decode(data);
    if (encoding === "utf8") return { value: text, words: text.slice(0, lettersMax) };
    const value = JSON.parse(text);
    return { value, words: jsonWords(value, large) };
  } catch {
    const text = new TextDecoder().decode(data.subarray(0, lettersMax));
    return {
      value: null,
      words: encoding === "msgpack" ? `${bytesWords(data.length)} that are no msgpack` : text,
    };
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? bytesWords(value.length) : value;
}

/** On a tile several messages shall be seen; opened, what is in one. Lists of numbers stay in a line. */
function jsonWords(value: unknown, large: boolean): string {
  if (!large) return (JSON.stringify(value, plain) ?? "").slice(0, tileLettersMax);
  const lines = JSON.stringify(value, plain, 2) ?? "";
  const words = lines.replace(/\[[\s\d.,eE+-]+\]/g, (list) => list.replace(/\s+/g, " "));
  return words.slice(0, lettersMax);
}
