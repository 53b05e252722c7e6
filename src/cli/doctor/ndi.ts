/** libndi, which the user installs, and what it needs to decode cameras that send H.264. */
import { hxMissing, hxRemedy } from "../../../sensors/ndi/libndi/hx.ts";
import { loadNdi } from "../../../sensors/ndi/libndi/load.ts";
import { broken, type Finding, type HubConfig, ok, warning } from "./finding.ts";

/** Of importance only where a sensor of the configuration needs it. */
export function ndi({ sensors }: HubConfig): Finding[] {
  const users = sensors.filter(({ kind }) => kind === "ndi");
  const library = users.map(({ config }) => (config as { library?: string }).library).find(Boolean);
  try {
    const { version, path } = loadNdi(library);
    return [ok("libndi", `${version}, from ${path}`), hx()];
  } catch (error) {
    const [, words = "", remedy = ""] =
      /^(.*?)\. ((?:Install|It needs|Version).*)$/s.exec((error as Error).message) ?? [];
    const names = users.map(({ name }) => name).join(", ");
    if (users.length > 0)
      return [broken("libndi", `${names} cannot run without it: ${words}`, remedy)];
    // Most people have no NDI camera: nothing is wrong with their machine.
    return [ok("libndi", `not here, and no sensor asks for it: ${words}`)];
  }
}

function hx(): Finding {
  const why = hxMissing();
  return why === null
    ? ok("NDI|HX", "can be decoded: FFmpeg 7's libavcodec and libavutil load")
    : warning("NDI|HX", why, hxRemedy);
}
