/** One stream on the wall: what it shows, its state, its numbers, the way of its frames. */
import type { StreamBody } from "../../api/schemas.ts";
import { away } from "../hub/hub.ts";
import { Facts } from "./facts.tsx";
import { useFeed } from "./feed.ts";
import { Hops } from "./hops.tsx";
import { Icon } from "./icon.tsx";
import { Mark, streamTones, type Tone } from "./mark.tsx";
import { open } from "./opened-name.ts";
import { freshness, Stage } from "./stage.tsx";

export function Tile({ stream }: { stream: StreamBody }) {
  const { element, feed } = useFeed(stream, "tile");
  const { name } = stream;
  return (
    <article
      class="tile"
      aria-labelledby={`stream-${name}`}
      ref={element}
      data-state={stream.state}
    >
      <header>
        <h3 id={`stream-${name}`} title={name}>
          {name}
        </h3>
        <StreamMark stream={stream} fresh={freshness(stream, feed).fresh} />
        <button type="button" class="icon" title="Open" onClick={() => open(name)}>
          <Icon name="open" />
          <span class="unseen">Open {name}</span>
        </button>
      </header>
      <Stage stream={stream} feed={feed} large={false} />
      <Facts stream={stream} feed={feed} />
      <Hops feed={feed} />
    </article>
  );
}

export function StreamMark({ stream, fresh }: { stream: StreamBody; fresh: boolean }) {
  const { tone, word, why } = stateWords(stream, fresh);
  return <Mark tone={tone} word={word} why={why} />;
}

function stateWords(stream: StreamBody, fresh: boolean): { tone: Tone; word: string; why: string } {
  if (away.value) return { tone: "bad", word: "unknown", why: "The hub does not answer" };
  const { tone, why } = streamTones[stream.state];
  if (stream.state === "live" && !fresh) {
    return {
      tone: "busy",
      word: "late",
      why: "The hub has newer frames than those that come here",
    };
  }
  return { tone, word: stream.state, why };
}
