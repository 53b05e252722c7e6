/**
 * NDI|HX is H.264 or HEVC, as Mevo cameras and NDI's phone apps send it. libndi decodes it by FFmpeg 7, which it opens
 * by these names, and without which it gives a picture that says "Video decoder not found" in place of the camera's.
 */
import { openLibrary } from "./symbols.ts";

/** Both of a row are needed. */
const decoders = [
  ["libavcodec.so.61", "libavutil.so.59"],
  ["libavcodec-ndi.so.61", "libavutil-ndi.so.59"],
] as const;

/** @returns null where NDI|HX can be decoded, else why not */
export function hxMissing(): string | null {
  const missing = decoders.map((row) => row.filter((name) => openLibrary(name) !== null));
  if (missing.some((names) => names.length === 0)) return null;
  const [usual = []] = missing;
  return `sources of NDI|HX (Mevo, phones) show a picture "Video decoder not found": libndi decodes them by FFmpeg 7, and there is no ${usual.join(" and no ")}`;
}

export const hxRemedy =
  "Install FFmpeg 7 (Debian 13: apt-get install libavcodec61); the README says what to do where it has another version. Other NDI sources need nothing.";
