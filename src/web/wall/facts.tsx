/** A tile's numbers. Each says in its title how it was taken. */
import type { StreamBody } from "../../api/schemas.ts";
import { answeredAtMs, sensors } from "../hub/hub.ts";
import type { LiveFeed } from "../hub/live-feed.ts";
import { ageWords, bytesWords, flowWords, rateWords, shapeWords } from "../words.ts";
import { clockWords } from "./clock-words.ts";
import { nowMs } from "./now.ts";

export function Facts({ stream, feed }: { stream: StreamBody; feed: LiveFeed }) {
  const { rate, measuredRate, bytesPerSecond, counters, reservedBytes, shm } = stream;
  const nominal = rate ? ` of ${rateWords(rate)}` : "";
  const clock = clockWords(
    sensors.value.find(({ name }) => name === stream.sensor)?.clock ?? null,
    feed.newest,
  );
  return (
    <dl class="facts">
      <Fact
        name="Rate"
        title={`Frames per second over about 2 s, ${rate ? "of those that its writer promises" : "its writer promises none"}; ${counters.frames} so far. Shown here: ${feed.meter.rate(nowMs.value).toFixed(1)}/s`}
      >
        {rateWords(measuredRate)}
        <span class="quiet">{nominal}</span>
      </Fact>
      <Fact name="Age" title="Since the newest frame was published">
        {ageWords(presentAge(stream))}
      </Fact>
      <Fact
        name="Bytes"
        title={`The ring takes ${bytesWords(reservedBytes)} of memory for ${shm.slotCount} frames`}
      >
        {flowWords(bytesPerSecond)}
      </Fact>
      <Fact name="Frame" title={`NumPy type ${JSON.stringify(stream.dtype)}`}>
        {frameWords(stream)}
      </Fact>
      <Fact
        name="Missed"
        title="Frames that were published since this tile began and were not shown in it, also because fewer were asked for"
      >
        {feed.meter.missed.toString()}
      </Fact>
      <Fact name="Clock" title={clock.title}>
        {clock.words}
      </Fact>
    </dl>
  );
}

function Fact(props: { name: string; title: string; children: preact.ComponentChildren }) {
  return (
    <div title={props.title} data-fact={props.name}>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** Grows on while the hub says nothing. */
function presentAge({ ageNs }: StreamBody): string | null {
  if (ageNs === null) return null;
  const unansweredMs = nowMs.value - answeredAtMs.value;
  return unansweredMs < 1500 ? ageNs : String(Number(ageNs) + unansweredMs * 1e6);
}

function frameWords(stream: StreamBody): string {
  const { kind, sampleRateHz, encoding, units } = stream;
  if (kind === "message") return `${encoding ?? "bytes"}`;
  const sound = sampleRateHz ? `${sampleRateHz / 1000} kHz` : null;
  return [shapeWords(stream), sound, kind === "depth" ? units : null].filter(Boolean).join(" · ");
}
