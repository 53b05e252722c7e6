/**
 * What can be set, as a schema made from the table of commands, and the way from its words to the numbers
 * of the protocol. Settings that are made for one port at a time are keyed by its name.
 */
import { z } from "zod";
import { commands, type Parameter, packRegion } from "../wire/remote-commands.ts";
import type { CommandName } from "../wire/remote-configuration.ts";

/** One command to send. */
export interface Setting {
  name: CommandName;
  values: Record<string, number | bigint>;
}

/** Commands that set something. Markers are drawn in the picture of a mixed reality capture. */
const settable = [
  "pvFocus",
  "pvExposure",
  "pvExposurePriorityVideo",
  "pvIsoSpeed",
  "pvWhiteBalancePreset",
  "pvWhiteBalanceValue",
  "pvBacklightCompensation",
  "pvSceneMode",
  "pvHdrVideo",
  "pvOpticalStabilization",
  "pvTemporalDenoising",
  "pvDesiredOptimization",
  "pvPrimaryUse",
  "pvRegionOfInterest",
  "marker",
  "eyeSelection",
  "spatialInputDelay",
  "vlcLoop",
  "interfacePriority",
  "encoderBuffering",
  "readerBuffering",
  "flatMode",
  "quietMode",
] as const satisfies CommandName[];

export type ControlName = (typeof settable)[number];

const words: Partial<Record<ControlName, string>> = {
  pvFocus: "value: 170 (infinity) to 10000, with mode manual",
  pvExposure: "value in µs, with mode manual",
  pvWhiteBalanceValue: "kelvin / 25",
  pvRegionOfInterest:
    "what exposure and focus look at; x, y, width, height in pixels, or from 0 to 1",
  eyeSelection: "needs Research Mode",
  spatialInputDelay: "100 ns: head, gaze and hands are sampled that long ago",
  interfacePriority: "of the threads that serve the ports",
  flatMode: "from the next start of the app on",
  quietMode: "from the next start of the app on",
};

export const controlsWords =
  "Settings of the headset. It confirms none of them: what was set last is shown, and forgotten by the headset when its app starts again. hl2ss 1.0.37 offers neither zoom nor a change of its name or address.";

type Parameters = Record<string, Parameter<unknown>>;
const parametersOf = (name: ControlName) => commands[name].parameters as unknown as Parameters;

const flag = z.boolean().default(false);
const regionOfInterest = z.strictObject({
  clear: flag,
  set: z.boolean().default(true),
  autoExposure: flag,
  autoFocus: flag,
  boundsNormalized: flag,
  type: z.enum(["unknown", "face"]).default("unknown"),
  weight: z.number().int().min(0).max(100).default(0),
  x: z.number(),
  y: z.number(),
  width: z.number().min(0),
  height: z.number().min(0),
});

/** The first parameter is the one that means something alone; others have a default. */
function objectOf(parameters: Parameters) {
  const entries = Object.entries(parameters).map(([key, parameter], i) => {
    const { schema, usual } = schemaOf(parameter);
    return [key, i === 0 ? schema : schema.default(usual)] as const;
  });
  return z.strictObject(Object.fromEntries(entries));
}

function schemaOf({ names, range }: Parameter<unknown>): {
  schema: z.ZodType<string | number>;
  usual: string | number;
} {
  if (names) {
    const all = Object.keys(names) as [string, ...string[]];
    return { schema: z.enum(all), usual: all[0] };
  }
  const { from, to } = range ?? { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  return { schema: z.number().int().min(from).max(to), usual: range ? from : 0 };
}

function controlSchema(name: ControlName): z.ZodType {
  if (name === "pvRegionOfInterest") return regionOfInterest;
  const { port, ...others } = parametersOf(name);
  if (!port) return objectOf(others);
  const ports = Object.keys(port.names ?? {}).map((key) => [key, objectOf(others).optional()]);
  return z.strictObject(Object.fromEntries(ports));
}

const shape = Object.fromEntries(
  settable.map((name) => {
    const schema = controlSchema(name);
    return [name, (words[name] ? schema.describe(words[name]) : schema).optional()];
  }),
);

/** Of what is set: an object of controls, each an object of its parameters. */
export const controlsSchema = z.strictObject(shape).describe(controlsWords);

export type ControlValues = Partial<Record<ControlName, Record<string, unknown>>>;

/** The commands for checked values, in the order of the table: a preset before the value that refines it. */
export function settingsOf(values: ControlValues): Setting[] {
  return settable.flatMap((name) => {
    const given = values[name];
    if (given === undefined) return [];
    if (name === "pvRegionOfInterest") return [regionSetting(given)];
    const { port, ...others } = parametersOf(name);
    if (!port) return [{ name, values: codes(others, given) }];
    return Object.entries(given).map(([key, inner]) => ({
      name,
      values: {
        port: port.names?.[key] as number,
        ...codes(others, inner as Record<string, unknown>),
      },
    }));
  });
}

function codes(parameters: Parameters, given: Record<string, unknown>): Setting["values"] {
  const entries = Object.entries(parameters).map(([key, { names, range }]) => {
    const value = given[key];
    if (names) return [key, names[value as string] as number];
    return [key, range ? (value as number) : BigInt(value as number)];
  });
  return Object.fromEntries(entries);
}

function regionSetting(given: Record<string, unknown>): Setting {
  const { x, y, width, height, type, ...region } = given as z.output<typeof regionOfInterest>;
  const flags = packRegion({ ...region, type: type === "face" ? 1 : 0 });
  return { name: "pvRegionOfInterest", values: { flags, x, y, width, height } };
}
