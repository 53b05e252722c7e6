/** The newest numbers of whatever has no picture of its own. */
import { useSignal } from "@preact/signals";
import { bytesWords, valueWords } from "../words.ts";
import { columnsOf } from "./records.ts";
import { framesOf, useFrames, type ViewProps } from "./view.ts";

const valuesMost = 24;

export function ValuesView({ stream, feed, large }: ViewProps) {
  const shown = useSignal<{ name: string; words: string }[]>([]);
  const size = useSignal("");

  useFrames(feed, ({ payload, payloadBytes }) => {
    size.value = `${bytesWords(payloadBytes)} a frame`;
    const data = framesOf(payload).at(-1)?.data;
    if (!data) return;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const columns = columnsOf(stream).slice(0, large ? 4 * valuesMost : valuesMost);
    shown.value = columns.flatMap(({ name, offset, rowBytes, read }) => {
      const row = Math.floor(data.byteLength / rowBytes) - 1;
      if (row < 0) return [];
      return [{ name, words: valueWords(read(view, row * rowBytes + offset)) }];
    });
  });

  if (shown.value.length === 0) return <p class="note">{size.value}</p>;
  return (
    <dl class="values" title={stream.units ?? ""}>
      {shown.value.map(({ name, words }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{words}</dd>
        </div>
      ))}
    </dl>
  );
}
