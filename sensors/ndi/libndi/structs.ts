/**
 * The structs of libndi (6.3, 64-bit, little-endian) as typed arrays: offset and type of each field, by a C
 * probe over the SDK's headers. What libndi fills in is the network's: nothing here has been checked yet.
 */
import { addressOf } from "./symbols.ts";

interface Types {
  u8: number;
  i32: number;
  u32: number;
  f32: number;
  i64: bigint;
  /** An address; 0 is null. */
  ptr: number;
  /** To write only: the address of a C string that lives as long as the struct. Null: as where it is not set. */
  text: string | null;
}

type Fields = Record<string, readonly [offsetBytes: number, type: keyof Types]>;

/** Its bytes are what C is given; each field reads and writes them. */
export type Struct<F extends Fields> = { readonly bytes: Uint8Array<ArrayBuffer> } & {
  -readonly [Name in keyof F]: Types[F[Name][1]];
};

/** Makes a function that makes such structs, all zero. */
function struct<const F extends Fields>(sizeBytes: number, fields: F): () => Struct<F> {
  return () => {
    const made = { bytes: new Uint8Array(sizeBytes) };
    const view = new DataView(made.bytes.buffer);
    for (const [name, [offset, type]] of Object.entries(fields)) {
      Object.defineProperty(made, name, { enumerable: true, ...accessors[type](view, offset) });
    }
    return made as Struct<F>;
  };
}

type Accessors<Value> = (
  view: DataView,
  offset: number,
) => { get(): Value; set(value: Value): void };

const accessors: { [Type in keyof Types]: Accessors<Types[Type]> } = {
  u8: (view, at) => ({ get: () => view.getUint8(at), set: (value) => view.setUint8(at, value) }),
  i32: (view, at) => ({
    get: () => view.getInt32(at, true),
    set: (value) => view.setInt32(at, value, true),
  }),
  u32: (view, at) => ({
    get: () => view.getUint32(at, true),
    set: (value) => view.setUint32(at, value, true),
  }),
  f32: (view, at) => ({
    get: () => view.getFloat32(at, true),
    set: (value) => view.setFloat32(at, value, true),
  }),
  i64: (view, at) => ({
    get: () => view.getBigInt64(at, true),
    set: (value) => view.setBigInt64(at, value, true),
  }),
  ptr: (view, at) => ({
    get: () => Number(view.getBigUint64(at, true)),
    set: (value) => view.setBigUint64(at, BigInt(value), true),
  }),
  text: (view, at) => ({
    get: () => null,
    set: (value) => {
      const bytes = value === null ? null : Buffer.from(`${value}\0`);
      const kept = texts.get(view.buffer) ?? new Map<number, Uint8Array | null>();
      texts.set(view.buffer, kept.set(at, bytes));
      view.setBigUint64(at, BigInt(bytes === null ? 0 : addressOf(bytes)), true);
    },
  }),
};

/** What structs point to, by their memory and the offset in it: kept for as long as that is. */
const texts = new WeakMap<ArrayBufferLike, Map<number, Uint8Array | null>>();

/** NDIlib_source_t. The address is `ip:port`. */
export const sourceStruct = struct(16, { name: [0, "text"], address: [8, "text"] });
export const sourceBytes = 16;

/** NDIlib_find_create_t. Groups and addresses are lists with commas. */
export const finderSettings = struct(24, {
  showLocal: [0, "u8"],
  groups: [8, "text"],
  extraIps: [16, "text"],
});

/** NDIlib_recv_create_v3_t. */
export const receiverSettings = struct(40, {
  sourceName: [0, "text"],
  sourceAddress: [8, "text"],
  colorFormat: [16, "i32"],
  bandwidth: [20, "i32"],
  allowFields: [24, "u8"],
  receiverName: [32, "text"],
});

/** NDIlib_send_create_t. */
export const senderSettings = struct(24, {
  name: [0, "text"],
  groups: [8, "text"],
  clockVideo: [16, "u8"],
  clockAudio: [17, "u8"],
});

/**
 * NDIlib_video_frame_v2_t. Rows are `strideBytes` apart. `timecode` and `timestamp` count 100 ns: the sender's own,
 * and its Unix time when it sent the frame; {@link undefinedTime} where there is none.
 */
export const videoFrame = struct(72, {
  width: [0, "i32"],
  height: [4, "i32"],
  fourCC: [8, "u32"],
  rateN: [12, "i32"],
  rateD: [16, "i32"],
  /** Of the picture, width to height; 0: that of its pixels. */
  aspectRatio: [20, "f32"],
  frameFormat: [24, "i32"],
  timecode: [32, "i64"],
  data: [40, "ptr"],
  strideBytes: [48, "i32"],
  metadata: [56, "ptr"],
  /** The same place, for a sender. */
  xml: [56, "text"],
  timestamp: [64, "i64"],
});
export type VideoFrame = ReturnType<typeof videoFrame>;

/** NDIlib_audio_frame_v3_t. Channels are `channelStrideBytes` apart. */
export const audioFrame = struct(64, {
  sampleRateHz: [0, "i32"],
  channels: [4, "i32"],
  samples: [8, "i32"],
  timecode: [16, "i64"],
  fourCC: [24, "u32"],
  data: [32, "ptr"],
  channelStrideBytes: [40, "i32"],
  metadata: [48, "ptr"],
  timestamp: [56, "i64"],
});
export type AudioFrame = ReturnType<typeof audioFrame>;

/** NDIlib_metadata_frame_t: XML that ends with a zero byte. */
export const metadataFrame = struct(24, {
  lengthBytes: [0, "i32"],
  timecode: [8, "i64"],
  data: [16, "ptr"],
  /** The same place, for a sender. */
  xml: [16, "text"],
});
export type MetadataFrame = ReturnType<typeof metadataFrame>;

/** NDIlib_recv_performance_t: frames since the receiver was made. */
export const receiverPerformance = struct(24, {
  video: [0, "i64"],
  audio: [8, "i64"],
  metadata: [16, "i64"],
});

/** NDIlib_recv_queue_t: frames that wait to be captured. */
export const receiverQueue = struct(12, {
  video: [0, "i32"],
  audio: [4, "i32"],
  metadata: [8, "i32"],
});

/** NDIlib_frame_type_e, as a capture returns it. */
export const frameType = {
  none: 0,
  video: 1,
  audio: 2,
  metadata: 3,
  error: 4,
  statusChange: 100,
  sourceChange: 101,
} as const;

/** NDIlib_recv_bandwidth_e. */
export const bandwidth = {
  "metadata-only": -10,
  lowest: 0,
  "audio-only": 10,
  highest: 100,
} as const;

/** NDIlib_recv_color_format_e. The second of a pair is what a source with alpha gives. */
export const colorFormat = {
  bgrxBgra: 0,
  uyvyBgra: 1,
  rgbxRgba: 2,
  uyvyRgba: 3,
  fastest: 100,
  best: 101,
} as const;

/** NDIlib_frame_format_type_e. */
export const frameFormat = { interleaved: 0, progressive: 1, field0: 2, field1: 3 } as const;

/** NDIlib_FourCC_video_type_e, and that of audio. */
export const fourCC = {
  UYVY: 0x59565955,
  UYVA: 0x41565955,
  P216: 0x36313250,
  PA16: 0x36314150,
  NV12: 0x3231564e,
  I420: 0x30323449,
  YV12: 0x32315659,
  BGRA: 0x41524742,
  BGRX: 0x58524742,
  RGBA: 0x41424752,
  RGBX: 0x58424752,
  FLTP: 0x70544c46,
} as const;

/** For a sender: make a timecode. From a receiver: there is no timestamp. */
export const undefinedTime = 0x7fffffffffffffffn;
