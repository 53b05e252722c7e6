/** One stream at full size: what it shows, its numbers, its last minute, and the code that reads it. */
import { useEffect, useRef } from "preact/hooks";
import type { StreamBody } from "../../api/schemas.ts";
import { Code } from "./code.tsx";
import { Facts } from "./facts.tsx";
import { useFeed } from "./feed.ts";
import { Fields } from "./fields.tsx";
import { HistoryPlots } from "./history-plots.tsx";
import { Hops } from "./hops.tsx";
import { Icon } from "./icon.tsx";
import { closeOpened } from "./opened-name.ts";
import { freshness, Stage } from "./stage.tsx";
import { StreamMark } from "./tile.tsx";

export function Opened({ name, stream }: { name: string; stream: StreamBody | undefined }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="opened" ref={dialog} aria-labelledby="opened-name" onClose={closeOpened}>
      {stream ? (
        <OpenedStream key={stream.shm.generation} stream={stream} />
      ) : (
        <>
          <header>
            <h2 id="opened-name">{name}</h2>
            <CloseButton />
          </header>
          <p class="empty">There is no stream of this name now. It is shown as soon as there is.</p>
        </>
      )}
    </dialog>
  );
}

function OpenedStream({ stream }: { stream: StreamBody }) {
  const { element, feed } = useFeed(stream, "opened");
  const { links } = stream;
  return (
    <article ref={element}>
      <header>
        <h2 id="opened-name">{stream.name}</h2>
        <StreamMark stream={stream} fresh={freshness(stream, feed).fresh} />
        <CloseButton />
      </header>
      <Stage stream={stream} feed={feed} large={true} />
      <Facts stream={stream} feed={feed} />
      <Hops feed={feed} />
      <div class="more">
        <section aria-labelledby="code-title">
          <h3 id="code-title">Read it</h3>
          <Code stream={stream} />
        </section>
        <section aria-labelledby="history-title">
          <h3 id="history-title">The last minute</h3>
          <HistoryPlots name={stream.name} />
        </section>
        <section aria-labelledby="fields-title">
          <h3 id="fields-title">The newest frame</h3>
          <Fields feed={feed} stream={stream} />
        </section>
        <section aria-labelledby="descriptor-title">
          <h3 id="descriptor-title">Descriptor</h3>
          <pre class="json" tabIndex={0}>
            {descriptorWords(stream)}
          </pre>
          <p class="links">
            {links.png && <a href={links.png}>PNG</a>}
            <a href={links.npy}>NumPy</a>
            <a href={links.self}>JSON</a>
            {links.calibration && <a href={links.calibration}>Calibration</a>}
          </p>
        </section>
      </div>
    </article>
  );
}

function CloseButton() {
  return (
    <form method="dialog">
      <button type="submit" class="icon" title="Close">
        <Icon name="close" />
        <span class="unseen">Close</span>
      </button>
    </form>
  );
}

/** What the writer said, without what the hub measures. */
function descriptorWords(stream: StreamBody): string {
  const { sensor, state, measuredRate, bytesPerSecond, ageNs, lastSequence, ...rest } = stream;
  const { reservedBytes, wakeMode, writer, counters, links, ...descriptor } = rest;
  const lines = JSON.stringify(descriptor, null, 2);
  return lines.replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s+/g, " "));
}
