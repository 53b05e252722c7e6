/** What stands behind a sensor: its processes, its last error, what it said, and what can be set. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SensorBody, SensorLogBody } from "../../api/schemas.ts";
import { get } from "../hub/actions.ts";
import { ControlsForm } from "./controls.tsx";
import { Mark, sensorTones } from "./mark.tsx";

export function SensorDetails({ sensor }: { sensor: SensorBody }) {
  const { name, pid, restarts, lastError, parts, counters } = sensor;
  const processes = parts.length > 0 ? parts : [{ ...sensor, name: "process" }];
  return (
    <div class="details">
      <section aria-label={`Processes of ${name}`}>
        <h3>Processes</h3>
        <table>
          <thead>
            <tr>
              <th scope="col">part</th>
              <th scope="col">state</th>
              <th scope="col">pid</th>
              <th scope="col">restarts</th>
            </tr>
          </thead>
          <tbody>
            {processes.map((part) => (
              <tr key={part.name}>
                <th scope="row">{part.name || name}</th>
                <td>
                  <Mark tone={sensorTones[part.state]} word={part.state} />
                  {part.words && <span class="quiet"> {part.words}</span>}
                </td>
                <td>{part.pid ?? "–"}</td>
                <td>{part.restarts}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p class="quiet">
          {Object.entries(counters)
            .map(([counter, count]) => `${counter} ${count}`)
            .join(", ")}
        </p>
      </section>
      <section aria-label={`Log of ${name}`}>
        <h3>Log</h3>
        {lastError && (
          <p class="error">
            Last error{lastError.count > 1 ? `, ${lastError.count} times` : ""}, at{" "}
            {new Date(lastError.at).toLocaleTimeString()}: {lastError.words}
          </p>
        )}
        <LogTail name={name} changes={`${pid} ${restarts} ${sensor.state} ${lastError?.at}`} />
      </section>
      <ControlsForm sensor={sensor} />
    </div>
  );
}

const periodMs = 2000;

/** @param changes another text: something has happened, look at once */
function LogTail({ name, changes }: { name: string; changes: string }) {
  const lines = useSignal<SensorLogBody["lines"] | null>(null);
  const trouble = useSignal("");
  useEffect(() => {
    const load = async () => {
      try {
        const body = await get<SensorLogBody>(`/api/v1/sensors/${name}/log`);
        lines.value = body.lines;
        trouble.value = "";
      } catch (error) {
        trouble.value = (error as Error).message;
      }
    };
    load();
    const timer = setInterval(load, periodMs);
    return () => clearInterval(timer);
  }, [name, changes]);
  if (trouble.value) return <p class="refusal">{trouble.value}</p>;
  if (!lines.value) return null;
  if (lines.value.length === 0) return <p class="quiet">It has said nothing yet.</p>;
  return (
    <ol class="log" tabIndex={0} aria-label={`Log of ${name}, newest first`}>
      {lines.value.toReversed().map(({ at, level, part, words }, index) => (
        <li key={`${at}${index}`} data-level={level}>
          <time>{new Date(at).toLocaleTimeString()}</time> {level} {part && `${part}: `}
          {words}
        </li>
      ))}
    </ol>
  );
}
