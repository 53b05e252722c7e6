/** The newest frame's times and fields, twice a second. */
import type { StreamBody } from "../../api/schemas.ts";
import type { LiveFeed } from "../hub/live-feed.ts";
import { valueWords } from "../words.ts";
import { nowMs } from "./now.ts";

export function Fields({ feed, stream }: { feed: LiveFeed; stream: StreamBody }) {
  const frame = feed.newest;
  // Read, so that this is drawn again with time.
  if (nowMs.value === 0 || !frame) return <p class="quiet">No frame yet</p>;
  const units = new Map((stream.fields ?? []).map(({ name, unit }) => [name, unit ?? ""]));
  const times: [string, string][] = [
    ["sequence", String(frame.sequence)],
    ["shape", `(${frame.shape.join(", ")})`],
    ["device_time", words(frame.deviceTime)],
    ["capture_time_ns", words(frame.captureTimeNs)],
    ["time_error_ns", words(frame.timeErrorNs)],
    ["clock_epoch", String(frame.clockEpoch)],
    ["publish_time_ns", words(frame.publishTimeNs)],
    ["publish_utc_ns", words(frame.publishUtcNs)],
  ];
  const fields = Object.entries(frame.fields).map(([name, value]): [string, string] => [
    name,
    `${Array.isArray(value) ? value.map(valueWords).join(", ") : valueWords(value)} ${units.get(name) ?? ""}`,
  ]);
  return (
    <table>
      <tbody>
        {[...times, ...fields].map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function words(value: bigint | null): string {
  return value === null ? "unknown" : String(value);
}
