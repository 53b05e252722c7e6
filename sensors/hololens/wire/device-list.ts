/**
 * The cameras of extended video and the microphones of extended audio: JSON in UTF-16, in which every
 * list is an object with the keys "0", "1", ….
 */
import { z } from "zod";
import { type Grammar, value } from "./grammar.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { RawSubtype } from "./raw-image.ts";
import { joined, u32 } from "./record.ts";
import type { SourceSelection } from "./subsystem.ts";

const largestBytes = 4 * 1024 * 1024;

export function* readListText(where: string): Grammar<string> {
  const bytes = yield* value(u32);
  if (bytes % 2 !== 0 || bytes > largestBytes) {
    const allowed = `an even number up to ${largestBytes}`;
    throw new ProtocolError({ where, what: `a device list of ${bytes} bytes`, allowed });
  }
  const text = yield bytes;
  try {
    return new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    const what = "a device list that is no UTF-16";
    throw new ProtocolError({ where, what, allowed: "UTF-16LE", cause });
  }
}

/** A list as it is sent: keys without gaps, because a position in it is what a client asks for. */
function numbered<Item extends z.ZodType>(item: Item) {
  const inOrder = (items: Record<string, unknown>) =>
    Object.keys(items).every((_, i) => Object.hasOwn(items, String(i)));
  return z
    .record(z.string(), item)
    .refine(inOrder, 'keys "0", "1", … without gaps')
    .transform((items) => Object.keys(items).map((_, i) => items[i] as z.output<Item>));
}

const format = z.looseObject({
  Width: z.number(),
  Height: z.number(),
  FrameRate: z.number(),
  Subtype: z.string(),
});

const cameraSource = z.looseObject({
  MediaStreamType: z.number(),
  MediaSourceKind: z.number(),
  Id: z.string(),
  ProfileId: z.string().optional(),
  VideoProfileMediaDescription: numbered(format).optional(),
});

const cameraProfile = z.looseObject({
  Id: z.string(),
  SupportedRecordMediaDescription: numbered(format).optional(),
});

const cameraGroup = z.looseObject({
  DisplayName: z.string(),
  Id: z.string(),
  SourceInfos: numbered(cameraSource).optional(),
  VideoProfiles: numbered(cameraProfile).optional(),
});

const audioFormat = z.looseObject({
  SampleRate: z.number(),
  ChannelCount: z.number(),
  Subtype: z.string(),
  BitsPerSample: z.number(),
  Bitrate: z.number().optional(),
  IsSpatial: z.unknown().optional(),
});

const audioSource = z.looseObject({
  MediaStreamType: z.number(),
  MediaSourceKind: z.number(),
  Id: z.string(),
  SupportedFormats: numbered(audioFormat).optional(),
});

const audioDevice = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  /** Null: it could not be opened. */
  FrameSources: numbered(audioSource).nullish(),
});

export type CameraGroup = z.output<typeof cameraGroup>;
export type AudioDevice = z.output<typeof audioDevice>;

export function parseCameraList(text: string, where: string): CameraGroup[] {
  return parseList(numbered(cameraGroup), text, where);
}

export function parseAudioList(text: string, where: string): AudioDevice[] {
  return parseList(numbered(audioDevice), text, where);
}

function parseList<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const what = `a device list that is no JSON (${(cause as Error).message})`;
    throw new ProtocolError({ where, what, allowed: "JSON", cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const what = `a device list whose ${issue?.path.join(".") || "root"} is wrong (${issue?.message})`;
  throw new ProtocolError({ where, what, allowed: "objects with the known members" });
}

/** @param list with arrays where the wire has numbered objects */
export function encodeList(list: object): Uint8Array {
  return encodeListText(JSON.stringify(withNumbers(list)));
}

export function encodeListText(text: string): Uint8Array {
  const encoded = Buffer.from(text, "utf16le");
  const size = new Uint8Array(u32.bytes);
  u32.write(new DataView(size.buffer), 0, encoded.byteLength);
  return joined(size, encoded);
}

function withNumbers(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  const members = Object.entries(json).map(([key, member]) => [key, withNumbers(member)]);
  return Object.fromEntries(members);
}

/** A camera that extended video can stream, and what its start command names. */
export interface CameraChoice extends SourceSelection {
  name: string;
  width: number;
  height: number;
  framerate: number;
  subtype: RawSubtype;
}

const usable = { streamType: 1, sourceKind: 1 };
const subtypes: readonly string[] = ["NV12", "YUY2", "IYUV", "I420", "YV12"];

export function cameraChoices(groups: CameraGroup[]): CameraChoice[] {
  return groups.flatMap(({ DisplayName, SourceInfos = [], VideoProfiles = [] }, group) =>
    SourceInfos.flatMap((info, source) => {
      const { MediaStreamType, MediaSourceKind, ProfileId } = info;
      if (MediaStreamType !== usable.streamType) return [];
      if (MediaSourceKind !== usable.sourceKind) return [];
      // -1 where there is no list of profiles: the first, then.
      const profile = Math.max(
        0,
        VideoProfiles.findIndex(({ Id }) => Id === ProfileId),
      );
      return (info.VideoProfileMediaDescription ?? [])
        .filter(({ Subtype }) => subtypes.includes(Subtype))
        .map(({ Width, Height, FrameRate, Subtype }) => ({
          ...{ group, source, profile, name: DisplayName },
          ...{ width: Width, height: Height, framerate: FrameRate },
          subtype: Subtype as RawSubtype,
        }));
    }),
  );
}
