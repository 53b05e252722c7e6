/** Settings of a device (focus, exposure, white balance): a form made of its schema. What is refused stands beside its button. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SensorBody } from "../../api/schemas.ts";
import { get, post } from "../hub/actions.ts";
import {
  type Control,
  controlsOf,
  type Field,
  inputOf,
  isWantedFirst,
  type Schema,
  valueIn,
} from "./control-schema.ts";

interface Controls {
  schema: Schema;
  values: Record<string, unknown>;
}

/** Of more, those that nobody asks for first are folded away. */
const listedMax = 8;

export function ControlsForm({ sensor }: { sensor: SensorBody }) {
  const { name, state } = sensor;
  const controls = useSignal<Controls | null>(null);
  const trouble = useSignal("");
  const path = `/api/v1/sensors/${name}/controls`;

  useEffect(() => {
    get<Controls>(path).then(
      (body) => {
        controls.value = body;
        trouble.value = "";
      },
      (error: Error) => {
        controls.value = null;
        trouble.value = error.message;
      },
    );
  }, [name, state]);

  const all = controls.value ? controlsOf(controls.value.schema) : [];
  const wanted = all.length > listedMax ? all.filter(isWantedFirst) : all;
  const others = all.filter((control) => !wanted.includes(control));
  const form = (control: Control) => (
    <ControlForm
      key={control.name}
      control={control}
      sensor={name}
      now={controls.value?.values[control.name]}
      set={async (value) => {
        controls.value = await post<Controls>(path, { [control.name]: value });
      }}
    />
  );
  return (
    <section aria-label={`Controls of ${name}`} class="controls">
      <h3>Controls</h3>
      {!controls.value && <p class="quiet">{trouble.value}</p>}
      {controls.value?.schema.description && (
        <p class="quiet">{controls.value.schema.description}</p>
      )}
      {controls.value && wanted.map(form)}
      {others.length > 0 && (
        <details>
          <summary>{others.length} more</summary>
          {others.map(form)}
        </details>
      )}
    </section>
  );
}

interface FormProps {
  control: Control;
  sensor: string;
  now: unknown;
  /** Rejects with words. */
  set(value: unknown): Promise<void>;
}

function ControlForm({ control, sensor, now, set }: FormProps) {
  const answer = useSignal<{ words: string; refused: boolean }>({ words: "", refused: false });
  const { name, title, description, fields } = control;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const given = fields.map(({ key, schema }) => [
      key,
      valueIn(schema, String(data.get(key) ?? "")),
    ]);
    const value = control.plain
      ? given[0]?.[1]
      : Object.fromEntries(given.filter(([, one]) => one !== undefined));
    answer.value = { words: "Setting…", refused: false };
    try {
      await set(value);
      answer.value = { words: "Set", refused: false };
    } catch (error) {
      answer.value = { words: (error as Error).message, refused: true };
    }
  };

  return (
    <form onSubmit={submit} aria-label={`${title} of ${sensor}`}>
      <strong title={description}>{title}</strong>
      {fields.map((field) => (
        <ControlInput
          key={field.key}
          id={`${sensor}-${name}-${field.key}`}
          field={field}
          now={partOf(now, control.plain, field)}
        />
      ))}
      <button type="submit">
        Set<span class="unseen"> {title}</span>
      </button>
      <span class={answer.value.refused ? "refusal" : "quiet"} role="status">
        {answer.value.words}
      </span>
    </form>
  );
}

function partOf(now: unknown, plain: boolean, { key }: Field): string {
  const value = plain ? now : (now as Record<string, unknown> | undefined)?.[key];
  return value === undefined || value === null ? "" : String(value);
}

function ControlInput({ id, field, now }: { id: string; field: Field; now: string }) {
  const { key, schema } = field;
  const input = inputOf(schema);
  const choices = (input === "flag" ? [true, false] : (schema.enum ?? [])).map(String);
  const range = rangeWords(schema);
  // A device that does not say what is set must not seem to.
  const chosen = now || (schema.default === undefined ? "" : String(schema.default));
  return (
    <label for={id}>
      {key}
      {input === "choice" || input === "flag" ? (
        <select id={id} name={key} required>
          {chosen === "" && <option value="">–</option>}
          {choices.map((choice) => (
            <option key={choice} selected={choice === chosen}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <TextInput {...{ id, schema, now, range }} name={key} />
      )}
    </label>
  );
}

interface TextInputProps {
  id: string;
  name: string;
  schema: Schema;
  now: string;
  range: string;
}

function TextInput({ id, name, schema, now, range }: TextInputProps) {
  const usual = Math.abs(Number(schema.default)) >= boundMax ? undefined : schema.default;
  const placeholder = usual === undefined ? range : String(usual);
  const shared = { id, name, placeholder, title: range, defaultValue: now };
  if (inputOf(schema) === "text") return <input type="text" {...shared} />;
  return <input type="number" step={schema.type === "integer" ? 1 : "any"} {...shared} />;
}

/** So large a bound is that of the number's type, not of the setting. */
const boundMax = 1e12;

function rangeWords(schema: Schema): string {
  const [minimum, maximum] = [schema.minimum, schema.maximum].map((bound) =>
    Math.abs(bound ?? Number.POSITIVE_INFINITY) < boundMax ? bound : undefined,
  );
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `at least ${minimum}`;
  return maximum === undefined ? "" : `at most ${maximum}`;
}
