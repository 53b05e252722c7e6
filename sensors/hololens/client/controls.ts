/** The headset's settings: checked, sent, and remembered, because it says neither what is set nor what it took. */
import { z } from "zod";
import { describe } from "../../../src/config/config-words.ts";
import { ControlError, type Controls, type SensorLog } from "../../sensor.ts";
import type { HololensConfig } from "../config.ts";
import { queryPorts } from "../wire/ports.ts";
import type { CommandValues } from "../wire/remote-configuration.ts";
import { type ControlValues, controlsSchema, type Setting, settingsOf } from "./control-schema.ts";
import { hostWords } from "./host-words.ts";
import { ConnectionLost } from "./lost.ts";
import { atLeast, clockVersion, type DeviceState } from "./parts.ts";
import type { Remote } from "./remote.ts";

export interface HololensControls extends Controls {
  /** The camera was started, which forgot its settings: they are sent again. */
  again(): Promise<void>;
}

interface Setup {
  config: HololensConfig;
  state(): DeviceState;
  /** Null while there is no connection. */
  remote(): Remote | null;
  log: Pick<SensorLog, "warn">;
}

export function createControls({ config, state, remote, log }: Setup): HololensControls {
  let remembered: ControlValues = {};

  const send = async (settings: Setting[]): Promise<void> => {
    const connected = remote();
    if (!connected) throw unavailable(config, state());
    for (const { name, values } of settings) {
      try {
        await connected.set(name, values as CommandValues<typeof name>);
      } catch (error) {
        if (error instanceof RangeError) throw notAllowed(error.message, error);
        const why = error instanceof ConnectionLost ? endWords(name) : (error as Error).message;
        throw new ControlError(why, { reason: "unavailable", cause: error });
      }
    }
  };

  const get = async () => ({
    ...(await readings({ config, state, remote })),
    ...remembered,
    setLast: Object.keys(remembered),
  });

  return {
    schema: schemaWithReadings(),
    get,
    async set(given) {
      const parsed = controlsSchema.safeParse(given);
      if (!parsed.success) throw notAllowed(refusal(parsed.error), parsed.error);
      const values = parsed.data as ControlValues;
      await send(settingsOf(values));
      remembered = merged(remembered, values);
      return get();
    },
    async again() {
      const camera = Object.entries(remembered).filter(([name]) => name.startsWith("pv"));
      if (camera.length === 0) return;
      await send(settingsOf(Object.fromEntries(camera))).catch((error: Error) =>
        log.warn(`the camera's settings could not be set again: ${error.message}`),
      );
    },
  };
}

/** What the headset says itself; null while it does not answer. */
const readOnly = {
  host: "as configured",
  address: "that is connected to; null while there is no connection",
  applicationVersion: "of hl2ss, or of the app that it is a part of",
  utcOffset:
    "100 ns: device time + this = UTC since 1601. A text, because a double does not hold it",
  deviceTime: "100 ns since the headset was started, as a text; from version 1.0.36 on",
  pvStatus: "whether the colour camera is started: on or off",
  setLast: "controls whose values are what was set last, not what the headset says",
};

function schemaWithReadings(): Record<string, unknown> {
  const schema = z.toJSONSchema(controlsSchema, { io: "input" });
  const { setLast, ...texts } = readOnly;
  const readings = Object.entries(texts).map(([name, description]) => [
    name,
    { type: ["string", "null"], description, readOnly: true },
  ]);
  const list = { type: "array", items: { type: "string" }, description: setLast, readOnly: true };
  const properties = { ...Object.fromEntries(readings), ...schema.properties, setLast: list };
  return { ...schema, properties };
}

async function readings({ config, state, remote }: Omit<Setup, "log">) {
  const { version, utcOffset } = state();
  const connected = remote();
  const status = await connected?.ask("pvStatus", {}).catch(() => null);
  const timed = version !== null && atLeast(version, clockVersion);
  const time = timed ? await connected?.ask("currentTime", { source: 0 }).catch(() => null) : null;
  return {
    host: config.host,
    address: connected?.address ?? null,
    applicationVersion: version?.join(".") ?? null,
    utcOffset: utcOffset?.toString() ?? null,
    deviceTime: time ? String(time.reply) : null,
    pvStatus: status ? (status.reply === 0 ? "off" : "on") : null,
  };
}

/** Settings by port add to those of other ports. */
function merged(before: ControlValues, now: ControlValues): ControlValues {
  const all: ControlValues = { ...before, ...now };
  for (const name of ["vlcLoop", "interfacePriority"] as const) {
    if (before[name] && now[name]) all[name] = { ...before[name], ...now[name] };
  }
  return all;
}

function refusal({ issues }: z.ZodError): string {
  const json = z.toJSONSchema(controlsSchema, { io: "input" });
  return issues
    .flatMap((issue) => {
      const here = at(json, issue.path);
      const path = issue.path.join(".");
      if (issue.code !== "unrecognized_keys") {
        return `${path || "the whole"}: allowed: ${describe(here)}`;
      }
      const allowed = Object.keys(here?.properties ?? {}).join(", ");
      return issue.keys.map((key) =>
        path === "" && Object.hasOwn(readOnly, key)
          ? `${key}: can only be read`
          : `${[...issue.path, key].join(".")}: is not a known key; allowed here: ${allowed}`,
      );
    })
    .join("; ");
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

function at(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(
    (inner, key) => inner?.properties?.[String(key)] as JsonSchema | undefined,
    schema,
  );
}

function notAllowed(words: string, cause: unknown): ControlError {
  return new ControlError(words, { reason: "not-allowed", cause });
}

function unavailable({ host, ports }: HololensConfig, { reach }: DeviceState): ControlError {
  const port = queryPorts.remote_configuration + ports;
  const words = hostWords(reach, host, port) ?? `${host} port ${port} is being connected to`;
  return new ControlError(words, { reason: "unavailable" });
}

function endWords(name: string): string {
  const research = name === "eyeSelection" ? " (it needs Research Mode)" : "";
  return `the headset ended the connection over ${name}${research}, or is gone`;
}
