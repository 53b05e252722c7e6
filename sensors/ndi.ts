/**
 * A source of NDI on the network (a Mevo, another camera, a mixer, a program), received by the user's own libndi.
 *
 * - `<name>.video` and `<name>.audio` begin with the first frame of each; another size, format, sample rate or
 *   number of channels in mid-stream is a new generation of its ring;
 * - `deviceTime` is the sender's UTC when it sent the frame, `captureTimeNs` is by arrivals alone: its error is unknown;
 * - a source that is lost is looked for by its name, since its port may be another camera's by then.
 */
import { type NdiConfig, ndiConfig } from "./ndi/config.ts";
import { hxMissing, hxRemedy } from "./ndi/libndi/hx.ts";
import { loadNdi, NdiLibraryError } from "./ndi/libndi/load.ts";
import { followSource } from "./ndi/receiving/follow.ts";
import { SensorError, type SensorKind } from "./sensor.ts";

export const ndi: SensorKind<NdiConfig> = {
  kind: "ndi",
  summary: "NDI: Mevo and other cameras, their picture and sound (needs libndi from ndi.video)",
  config: ndiConfig,

  streams({ name, bandwidth, audio, pixelFormat }) {
    const source = { kind: "ndi" };
    const video = {
      name: `${name}.video`,
      spec: {
        kind: "video" as const,
        pixelFormat: pixelFormat === "p216" ? "p216le" : pixelFormat,
        source,
      },
    };
    const sound = {
      name: `${name}.audio`,
      spec: { kind: "audio" as const, dtype: "<f4", source },
    };
    return [...(bandwidth === "audio-only" ? [] : [video]), ...(audio ? [sound] : [])];
  },

  async run(config, context) {
    context.state("connecting", "loading libndi");
    const ndi = load(config.library);
    const undecodable = hxMissing();
    if (undecodable !== null) context.log.warn(`${undecodable}. ${hxRemedy}`);
    await followSource({ ndi, config, context });
  },
};

function load(library: string | undefined) {
  try {
    return loadNdi(library);
  } catch (cause) {
    if (!(cause instanceof NdiLibraryError)) throw cause;
    throw new SensorError(cause.message, { retry: false, cause });
  }
}
