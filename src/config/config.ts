/**
 * streamem.yaml: read, checked against the kinds of sensors it names, and turned into what the hub
 * needs. Every problem is reported at once, with file, line, column and what is allowed.
 */
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { sensorKinds } from "../../sensors/kinds.ts";
import {
  type PlannedStream,
  type SensorConfig,
  type SensorKind,
  streamName,
} from "../../sensors/sensor.ts";
import { sensorKinds as sinkKinds } from "../../sinks/kinds.ts";
import type { DeclaredMessages } from "../messages/message-streams.ts";
import { messageCapacityBytes } from "../ring/descriptor.ts";
import { type ConfigProblem, issueProblems } from "./config-words.ts";
import { groupId } from "./group.ts";
import { type Path, YamlFile } from "./yaml-file.ts";

export interface ConfiguredSensor {
  name: string;
  kind: string;
  config: SensorConfig;
  streams: PlannedStream[];
  /** A process for each; [""] where the sensor is one process. */
  parts: string[];
}

/** As a sensor, for it is supervised as one; it makes no streams. */
export interface ConfiguredSink extends ConfiguredSensor {
  config: SensorConfig & { streams: string[]; url: string };
}

export interface Config {
  /** null: there was no file, this is the built-in default. */
  file: string | null;
  host: string;
  port: number;
  prefix: string;
  group: string | null;
  sensors: ConfiguredSensor[];
  messages: DeclaredMessages[];
  sinks: ConfiguredSink[];
}

export class ConfigError extends Error {
  override name = "ConfigError";
  readonly problems: ConfigProblem[];

  constructor(problems: ConfigProblem[]) {
    super(problems.map((problem) => problem.text).join("\n"));
    this.problems = problems;
  }
}

export const prefixPattern = /^[a-z0-9_-]{1,32}$/;

export const defaultConfigText = `sensors:
  - { kind: rand-camera, name: rand-camera }
  - { kind: rand-microphone, name: rand-microphone }
`;

const messageCapacityMax = 16 << 20;

/** What the hub writes for those who post messages over HTTP. */
const messagesSchema = z.strictObject({
  name: streamName,
  encoding: z.enum(["json", "utf8", "msgpack"]).default("json"),
  payloadCapacity: z.number().int().min(1).max(messageCapacityMax).default(messageCapacityBytes),
  slots: z.number().int().min(4).max(65536).optional(),
});

const topSchema = z.strictObject({
  host: z.string().min(1).default("127.0.0.1"),
  port: z.number().int().min(0).max(65535).default(7766),
  prefix: z
    .string()
    .regex(prefixPattern)
    .describe("1 to 32 of a-z 0-9 _ - (no dot)")
    .default("streamem"),
  group: z.string().min(1).nullable().default(null),
  // A list whose entries are all commented out is null.
  sensors: z.array(z.record(z.string(), z.unknown())).nullable().default([]),
  messages: z.array(messagesSchema).nullable().default([]),
  sinks: z.array(z.record(z.string(), z.unknown())).nullable().default([]),
});

/**
 * @param file what `--config` says; without it `streamem.yaml` of the current folder is taken, and
 * where that is not there the built-in default.
 * @param kinds for tests
 */
export async function loadConfig(file: string | undefined, kinds = sensorKinds): Promise<Config> {
  const found = file ?? (existsSync("streamem.yaml") ? "streamem.yaml" : null);
  if (found === null) return parseConfig(defaultConfigText, null, kinds);
  return parseConfig(readConfig(found), found, kinds);
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const text = `${file}: cannot be read: ${(error as Error).message}`;
    throw new ConfigError([{ file, line: null, column: null, path: "", text }]);
  }
}

/** @param file its name for messages; null for the built-in text */
export async function parseConfig(
  text: string,
  file: string | null,
  kinds = sensorKinds,
): Promise<Config> {
  const yaml = new YamlFile(text, file ?? "built-in default");
  if (yaml.problems.length > 0) throw new ConfigError(yaml.problems);
  const value = yaml.value ?? {};
  const top = topSchema.safeParse(value);
  const problems = top.success ? [] : issueProblems(yaml, topSchema, top.error, []);
  const taken = new Map<string, string>();
  const sensors = await parseSensors(yaml, value, kinds, problems, taken);
  const messages = (top.success ? top.data.messages : null) ?? [];
  problems.push(...messageProblems(yaml, messages, sensors, taken));
  const groupName = (value as { group?: unknown }).group;
  if (typeof groupName === "string" && groupName !== "" && groupId(groupName) === null) {
    problems.push(yaml.problem(["group"], `there is no group "${groupName}" on this machine`));
  }
  const sinks = await parseSinks(yaml, value, problems);
  if (!top.success || problems.length > 0) throw new ConfigError(inOrder(problems));
  const { host, port, prefix, group } = top.data;
  return { file, host, port, prefix, group, sensors, messages, sinks };
}

async function parseSensors(
  yaml: YamlFile,
  value: unknown,
  kinds: typeof sensorKinds,
  problems: ConfigProblem[],
  taken: Map<string, string>,
): Promise<ConfiguredSensor[]> {
  const entries = (value as { sensors?: unknown }).sensors;
  if (!Array.isArray(entries)) return [];
  const sensors: ConfiguredSensor[] = [];
  for (const [i, entry] of entries.entries()) {
    const path = ["sensors", i];
    if (typeof entry !== "object" || entry === null) continue; // said by the schema above
    const kind = await loadKind(
      yaml,
      path,
      "sensor",
      (entry as { kind?: unknown }).kind,
      kinds,
      problems,
    );
    if (!kind) continue;
    const parsed = kind.config.safeParse(entry);
    if (!parsed.success) {
      problems.push(...issueProblems(yaml, kind.config, parsed.error, path));
      continue;
    }
    const { name } = parsed.data;
    const streams = kind.streams(parsed.data);
    problems.push(...nameProblems(yaml, path, name, streams, taken));
    const parts = kind.parts?.(parsed.data) ?? [""];
    sensors.push({ name, kind: kind.kind, config: parsed.data, streams, parts });
  }
  return sensors;
}

async function parseSinks(
  yaml: YamlFile,
  value: unknown,
  problems: ConfigProblem[],
): Promise<ConfiguredSink[]> {
  const entries = (value as { sinks?: unknown }).sinks;
  if (!Array.isArray(entries)) return [];
  const sinks: ConfiguredSink[] = [];
  const taken = new Map<string, string>();
  for (const [i, entry] of entries.entries()) {
    const path = ["sinks", i];
    if (typeof entry !== "object" || entry === null) continue; // said by the schema above
    const kind = await loadKind(yaml, path, "sink", entry.kind, sinkKinds, problems);
    if (!kind) continue;
    const parsed = kind.config.safeParse(entry);
    if (!parsed.success) {
      problems.push(...issueProblems(yaml, kind.config, parsed.error, path));
      continue;
    }
    const config = parsed.data as ConfiguredSink["config"];
    const { name } = config;
    const other = taken.get(name);
    if (other) {
      const words = `the sink "${name}" is there already at ${other}; give each a \`name\``;
      problems.push(yaml.problem(path, words));
    }
    taken.set(name, other ?? yaml.where(path));
    sinks.push({ name, kind: kind.kind, config, streams: [], parts: [""] });
  }
  return sinks;
}

async function loadKind(
  yaml: YamlFile,
  path: Path,
  what: "sensor" | "sink",
  kind: unknown,
  kinds: typeof sensorKinds,
  problems: ConfigProblem[],
): Promise<SensorKind | null> {
  const load = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (load) return load();
  const allowed = Object.keys(kinds).join(", ");
  const words =
    kind === undefined ? "is missing" : `${yaml.shown([...path, "kind"])} is no kind of ${what}`;
  problems.push(yaml.problem([...path, "kind"], `${words}; allowed: ${allowed}`));
  return null;
}

/** Two sensors must not share a name, nor a stream: only one can write a ring. */
function nameProblems(
  yaml: YamlFile,
  path: Path,
  name: string,
  streams: PlannedStream[],
  taken: Map<string, string>,
): ConfigProblem[] {
  const here = [...path, "name"];
  const claims = new Map([[`sensor "${name}"`, `the name "${name}"`]]);
  const problems: ConfigProblem[] = [];
  for (const stream of streams) {
    claims.set(`stream "${stream.name}"`, `the stream "${stream.name}"`);
    const valid = streamName.safeParse(stream.name);
    if (valid.success) continue;
    const words = `makes the stream "${stream.name}", which is no stream's name; allowed: ${streamName.description}`;
    problems.push(yaml.problem(here, words));
  }
  for (const [claim, words] of claims) {
    const other = taken.get(claim);
    // One sentence is enough where a twin repeats both the name and all its streams.
    if (other && problems.length === 0) {
      problems.push(yaml.problem(here, `${words} is taken already at ${other}`));
    }
    taken.set(claim, other ?? yaml.where(here));
  }
  return problems;
}

/** A sensor may make any stream that begins with its name. */
function messageProblems(
  yaml: YamlFile,
  messages: DeclaredMessages[],
  sensors: ConfiguredSensor[],
  taken: Map<string, string>,
): ConfigProblem[] {
  return messages.flatMap(({ name }, i) => {
    const here = ["messages", i, "name"];
    const claim = `stream "${name}"`;
    const other = taken.get(claim);
    taken.set(claim, other ?? yaml.where(here));
    if (other) return [yaml.problem(here, `the ${claim} is taken already at ${other}`)];
    const sensor = sensors.find((one) => `${name}.`.startsWith(`${one.name}.`));
    if (!sensor) return [];
    return [
      yaml.problem(
        here,
        `the ${claim} belongs to the sensor "${sensor.name}"; choose another name`,
      ),
    ];
  });
}

function inOrder(problems: ConfigProblem[]): ConfigProblem[] {
  const key = (p: ConfigProblem) => (p.line ?? 0) * 1e6 + (p.column ?? 0);
  return problems.sort((a, b) => key(a) - key(b));
}
