/** A stream's view, greyed and worded as soon as what it shows is not the present. */
import type { ComponentType } from "preact";
import type { StreamBody } from "../../api/schemas.ts";
import { type Freshness, freshnessOf } from "../hub/freshness.ts";
import { answeredAtMs, away } from "../hub/hub.ts";
import { hubTimeMs } from "../hub/hub-clock.ts";
import { blocked, type LiveFeed } from "../hub/live-feed.ts";
import { DepthView } from "../views/depth.tsx";
import { MessagesView } from "../views/messages.tsx";
import { PictureView } from "../views/picture.tsx";
import { PlotView } from "../views/plot.tsx";
import { SoundView } from "../views/sound.tsx";
import { SpaceView } from "../views/space.tsx";
import { ValuesView } from "../views/values.tsx";
import { isGray16, type ViewProps } from "../views/view.ts";
import { nowMs } from "./now.ts";

export function Stage(props: ViewProps) {
  const { stream, feed, large } = props;
  const View = viewOf(stream);
  const { fresh, words } = freshness(stream, feed);
  const waiting = feed.meter.last === null ? waitingWords(stream, feed) : "";
  return (
    <div class={large ? "stage large" : "stage"} data-fresh={fresh ? "yes" : "no"}>
      <View {...props} />
      {!fresh && <p class="stale">{words}</p>}
      {waiting && <p class="note">{waiting}</p>}
    </div>
  );
}

export function freshness(stream: StreamBody, feed: LiveFeed): Freshness {
  return freshnessOf({
    stream,
    shown: feed.meter.last,
    hubAway: away.value !== null,
    hubNowMs: hubTimeMs(nowMs.value)?.ms ?? null,
    nowMs: nowMs.value,
    answeredAtMs: answeredAtMs.value,
  });
}

function viewOf(stream: StreamBody): ComponentType<ViewProps> {
  const { kind, links } = stream;
  // Over HTTP depths come as greys.
  if (links.jpg) return isGray16(stream) && !blocked.value ? DepthView : PictureView;
  if (kind === "audio") return SoundView;
  if (kind === "imu") return PlotView;
  if (kind === "pose") return SpaceView;
  if (kind === "message") return MessagesView;
  return ValuesView;
}

function waitingWords({ lastSequence }: StreamBody, { trouble }: LiveFeed): string {
  if (trouble) return trouble;
  return lastSequence === "0" ? "No frame yet" : "Waiting for a frame…";
}
