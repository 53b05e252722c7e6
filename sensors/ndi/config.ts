/** The keys of an NDI source in streamem.yaml: which one, how much of it, and as what it lies in its rings. */
import { z } from "zod";
import { sensorConfig } from "../sensor.ts";

/** FFmpeg's names but for the last, which is `p216le` there. */
export const ndiPixelFormats = ["bgr24", "bgra", "uyvy422", "p216"] as const;
export type NdiPixelFormat = (typeof ndiPixelFormats)[number];

const text = z.string().min(1);
const texts = z
  .union([text, z.array(text)])
  .transform((one) => [one].flat())
  .describe("a text that is not empty, or a list of them");

const address = z
  .string()
  .regex(/^[^\s:/@]+:\d{1,5}$/, "must be host:port, such as 192.168.1.50:5961");

const timeLimitMs = z.number().int().min(100).max(600_000);

export const ndiConfig = sensorConfig({
  /** All of these must be contained in its name, whatever the case: `MEVO`, or `[MEVO, PJ5]`. */
  source: texts.optional(),
  /** In place of `source`: where it is, `host:port`. Nothing is looked for, until it is lost. */
  address: address.optional(),
  /** Only sources of these groups are seen. */
  groups: texts.default(["public"]),
  /** Hosts that are asked for their sources beside those that make themselves heard (mDNS). */
  extraIps: texts.default([]),
  /** `lowest` is a preview, which the sender scales; `audio-only` has no picture. */
  bandwidth: z.enum(["highest", "lowest", "audio-only"]).default("highest"),
  /** `bgra`, `uyvy422` and `p216` are copied as they come; `uyvy422` costs the least. */
  pixelFormat: z.enum(ndiPixelFormats).default("bgr24"),
  /** false: no ring for its sound. */
  audio: z.boolean().default(true),
  /** Samples of each channel in a frame of `<name>.audio`. */
  frameSamples: z.number().int().min(1).max(1_048_576).default(1024),
  /** A stream's frames are stamped so many ms after they were captured. */
  lagMs: z
    .partialRecord(z.enum(["video", "audio"]), z.number().min(-10_000).max(10_000))
    .default({}),
  /** libndi, or the folder it is in; else it is looked for. */
  library: text.optional(),
  /** A sender that takes no connection in this time is tried again later. */
  connectTimeoutMs: timeLimitMs.default(5000),
  /** A connected sender that gives nothing for so long is said to be waited for, and connected anew. */
  silentTimeoutMs: timeLimitMs.default(2000),
}).refine(({ source, address }) => (source === undefined) !== (address === undefined), {
  message: "give either `source` (a part of its name) or `address` (host:port)",
  path: ["source"],
});

export type NdiConfig = z.infer<typeof ndiConfig>;
