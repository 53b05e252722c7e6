/** A sensor with its streams: what it does, how to stop it, and a tile for each stream. */
import { useSignal } from "@preact/signals";
import type { SensorBody, StreamBody } from "../../api/schemas.ts";
import { post, type SensorAction } from "../hub/actions.ts";
import { ask } from "../hub/hub.ts";
import { Icon } from "./icon.tsx";
import { Mark, sensorTones } from "./mark.tsx";
import { SensorDetails } from "./sensor-details.tsx";
import { Tile } from "./tile.tsx";

interface GroupProps {
  /** Null: other programs. */
  sensor: SensorBody | null;
  streams: StreamBody[];
  columns: number;
}

export function Group({ sensor, streams, columns }: GroupProps) {
  const span = Math.min(columns, Math.max(1, streams.length));
  const name = sensor?.name ?? "other-programs";
  return (
    <section class="group" aria-labelledby={`group-${name}`} style={{ gridColumn: `span ${span}` }}>
      {sensor ? (
        <SensorHeader sensor={sensor} />
      ) : (
        <header class="sensor">
          <h2 id={`group-${name}`} title="Streams that the hub did not start">
            Other programs
          </h2>
        </header>
      )}
      <div class="tiles">
        {streams.map((stream) => (
          <Tile key={`${stream.name}/${stream.shm.generation}`} stream={stream} />
        ))}
        {streams.length === 0 && <p class="tile vacant">{vacantWords(sensor)}</p>}
      </div>
    </section>
  );
}

function vacantWords(sensor: SensorBody | null): string {
  if (sensor?.state === "stopped") return "Stopped. Its streams come back when it is started.";
  return sensor?.words ?? "No streams now.";
}

const resting: readonly SensorBody["state"][] = ["stopped", "ended", "failed"];

function SensorHeader({ sensor }: { sensor: SensorBody }) {
  const busy = useSignal<SensorAction | null>(null);
  const refusal = useSignal("");
  const shown = useSignal(false);
  const { name, kind, state, words, restarts } = sensor;

  const act = async (action: SensorAction) => {
    busy.value = action;
    refusal.value = "";
    try {
      await post(`/api/v1/sensors/${name}/${action}`);
    } catch (error) {
      refusal.value = `${action} failed: ${(error as Error).message}`;
    }
    busy.value = null;
    ask();
  };
  const button = (action: SensorAction, label: string) => (
    <button
      type="button"
      class="icon"
      title={label}
      disabled={busy.value !== null}
      onClick={() => act(action)}
    >
      <Icon name={busy.value === action ? "busy" : action} />
      <span class="unseen">
        {label} {name}
      </span>
    </button>
  );

  return (
    <>
      <header class="sensor">
        <h2 id={`group-${name}`}>{name}</h2>
        {kind !== name && <span class="quiet kind">{kind}</span>}
        <Mark tone={sensorTones[state]} word={state} />
        {restarts > 0 && (
          <span class="quiet">{restarts === 1 ? "1 restart" : `${restarts} restarts`}</span>
        )}
        <span class="buttons">
          {resting.includes(state) ? button("start", "Start") : button("stop", "Stop")}
          {button("restart", "Restart")}
          <button
            type="button"
            class="icon"
            title="Details"
            aria-expanded={shown.value}
            onClick={() => {
              shown.value = !shown.value;
            }}
          >
            <Icon name="details" />
            <span class="unseen">Details of {name}</span>
          </button>
        </span>
      </header>
      {words && <p class="words">{words}</p>}
      <p class="refusal" role="status">
        {refusal.value}
      </p>
      {shown.value && <SensorDetails sensor={sensor} />}
    </>
  );
}
