/**
 * How a server reads what a client asks for: first the opening, which may start or stop a source, then
 * the request. It checks on the way and refuses at the first thing that does not hold; its only answer
 * is to close. (`ProtocolError` here says why, for the log.)
 */
import { type Option, optionKeys } from "./codes.ts";
import { type Configurations, messages, type VideoFormat, videoFormat } from "./configuration.ts";
import { mixerModes, unpackMixer } from "./extended-audio-codes.ts";
import { type Grammar, parseExactly, value } from "./grammar.ts";
import { hasMode, hasSubsystem, type Mode, type StreamFamily } from "./ports.ts";
import { ProtocolError } from "./protocol-error.ts";
import { u8 } from "./record.ts";
import { type SubsystemStart, startBit, stopBit, subsystemStart } from "./subsystem.ts";

export interface Opening {
  /** 0 where the port has no mode byte. */
  mode: Mode;
  /** Open the source (again) with these, before the request is read. */
  start: SubsystemStart | null;
  /** Close the source when the session is over, whatever came of it. */
  stop: boolean;
}

/** The state of the source behind a port, as far as it decides what is refused. */
export interface Subsystem {
  on: boolean;
  /** Another program decides about the format: the one asked for is not looked at. */
  shared: boolean;
  supportsFormat(format: VideoFormat): boolean;
  /** Extended depth: whether its camera has a format of this index. */
  supportsMedia(index: bigint): boolean;
}

export type Request<F extends StreamFamily = StreamFamily> =
  | { kind: "stream"; configuration: Configurations[F] }
  /** A calibration or a device list, then the end. */
  | { kind: "transfer"; format: VideoFormat | null }
  | { kind: "nothing" };

/** Any format of a source that runs. */
export const openSubsystem: Subsystem = {
  on: true,
  shared: false,
  supportsFormat: () => true,
  supportsMedia: () => true,
};

export function* readOpening(family: StreamFamily): Grammar<Opening> {
  if (!hasMode(family)) return { mode: 0, start: null, stop: false };
  const byte = yield* value(u8);
  const mode = (byte & 3) as Mode;
  if (!hasSubsystem(family)) return { mode, start: null, stop: false };
  const start = (byte & startBit) === 0 ? null : yield* value(subsystemStart);
  return { mode, start, stop: (byte & stopBit) !== 0 };
}

/** @param where names the port in errors */
export function* readRequest<F extends StreamFamily>(
  family: F,
  { mode }: Pick<Opening, "mode">,
  { subsystem = openSubsystem, where = family }: { subsystem?: Subsystem; where?: string } = {},
): Grammar<Request<F>> {
  if (mode === 3) return { kind: "nothing" };
  if (mode === 2) return yield* readTransfer(family, subsystem, where);
  if (hasSubsystem(family) && !subsystem.on) throw notStarted(where);
  const configuration: object = hasMode(family) ? { mode } : {};
  for (const part of messages[family]) {
    const values = yield* part.grammar(where);
    Object.assign(configuration, values);
    if (family === "pv" && part === videoFormat) {
      checkFormat(values as VideoFormat, subsystem, where);
    }
  }
  if (family === "extended-video") checkFormat(configuration as VideoFormat, subsystem, where);
  if (family === "extended-depth")
    checkMedia(configuration as { options: Option[] }, subsystem, where);
  if (asksForList(family, configuration)) return { kind: "transfer", format: null };
  return { kind: "stream", configuration: configuration as Configurations[F] };
}

function* readTransfer<F extends StreamFamily>(
  family: F,
  subsystem: Subsystem,
  where: string,
): Grammar<Request<F>> {
  if (family === "extended-depth") return { kind: "nothing" };
  if (family !== "pv") return { kind: "transfer", format: null };
  if (!subsystem.on) throw notStarted(where);
  const format = yield* videoFormat.grammar(where);
  checkFormat(format, subsystem, where);
  return { kind: "transfer", format };
}

function checkFormat(format: VideoFormat, subsystem: Subsystem, where: string): void {
  if (subsystem.shared || subsystem.supportsFormat(format)) return;
  const { width, height, framerate } = format;
  const what = `${width}x${height} at ${framerate}`;
  throw new ProtocolError({ where, what, allowed: "a format of the camera" });
}

function checkMedia({ options }: { options: Option[] }, subsystem: Subsystem, where: string): void {
  // Of several the last one counts; the value is a u32. Without one the server assumes its highest.
  const asked = options.findLast(({ key }) => key === optionKeys.mediaIndex)?.value ?? 0xffff_ffffn;
  const index = BigInt.asUintN(32, asked);
  if (subsystem.supportsMedia(index)) return;
  throw new ProtocolError({ where, what: `media ${index}`, allowed: "a format of the camera" });
}

function asksForList(family: StreamFamily, configuration: object): boolean {
  if (family !== "extended-audio") return false;
  const { mixerMode } = configuration as Configurations["extended-audio"];
  return unpackMixer(mixerMode).mode === mixerModes.query;
}

function notStarted(where: string): ProtocolError {
  const what = "asked for before the source was started";
  return new ProtocolError({ where, what, allowed: "a start command first" });
}

/** A whole message that lies in an array. */
export function parseConfiguration<F extends StreamFamily>(
  family: F,
  bytes: Uint8Array,
  subsystem: Subsystem = openSubsystem,
): { opening: Opening; request: Request<F> } {
  function* both(): Grammar<{ opening: Opening; request: Request<F> }> {
    const opening = yield* readOpening(family);
    return { opening, request: yield* readRequest(family, opening, { subsystem }) };
  }
  return parseExactly(both(), bytes, family);
}
