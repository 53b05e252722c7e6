/**
 * What extended video and extended audio can be asked for: the headset lists its cameras and microphones,
 * and the log shows them once, so that indices can be chosen.
 */
import type { SensorContext } from "../../sensor.ts";
import { createByteReader } from "../wire/byte-reader.ts";
import { encodeConfiguration, encodeTransferRequest } from "../wire/configuration.ts";
import { configurationOf } from "../wire/configuration-defaults.ts";
import {
  type CameraChoice,
  cameraChoices,
  parseAudioList,
  parseCameraList,
  readListText,
} from "../wire/device-list.ts";
import { mixerModes } from "../wire/extended-audio-codes.ts";
import type { StreamFamily } from "../wire/ports.ts";
import { type ConnectOptions, connect } from "./connection.ts";

const silenceMs = 5000;

/** One line for each choice; null: the headset gave none. */
async function linesOf(family: StreamFamily, where: ConnectOptions): Promise<string[] | null> {
  if (family === "extended-video") {
    const text = await fetchList(where, encodeTransferRequest(family));
    return text === null ? null : cameraLines(cameraChoices(parseCameraList(text, family)));
  }
  const query = configurationOf("extended-audio", { mixerMode: mixerModes.query });
  const text = await fetchList(where, encodeConfiguration("extended-audio", query));
  if (text === null) return null;
  return parseAudioList(text, family).map(({ Name }, device) => `device ${device}: ${Name}`);
}

/** One line for a camera with all its formats. */
function cameraLines(choices: CameraChoice[]): string[] {
  const cameras = Map.groupBy(
    choices,
    ({ group, source, profile, name }) =>
      `group ${group}, source ${source}, cameraProfile ${profile} (${name})`,
  );
  return [...cameras].map(([camera, formats]) => {
    const sizes = formats.map(
      ({ width, height, framerate, subtype }) => `${width}x${height} at ${framerate} ${subtype}`,
    );
    return `${camera}: ${sizes.join(", ")}`;
  });
}

async function fetchList(where: ConnectOptions, request: Uint8Array): Promise<string | null> {
  const connection = await connect(where);
  try {
    connection.limitSilence(silenceMs);
    connection.write(request);
    return await createByteReader(connection.chunks, "device list").read(
      readListText("device list"),
    );
  } finally {
    connection.destroy();
  }
}

export function hasList(family: StreamFamily): boolean {
  return family === "extended-video" || family === "extended-audio";
}

/** True: it was shown. A list that is not given stops nothing. */
export async function showList(
  family: StreamFamily,
  where: ConnectOptions,
  { log }: Pick<SensorContext, "log">,
): Promise<boolean> {
  try {
    const lines = await linesOf(family, where);
    if (!lines) return false;
    log.info(`the headset lists for ${family}: ${lines.join("; ") || "nothing"}`);
    return true;
  } catch (error) {
    log.debug(`no list for ${family}: ${(error as Error).message}`);
    return false;
  }
}
