/** What the NDI sensors of a configuration say about where sources are. */
import type { NdiConfig } from "../../../sensors/ndi/config.ts";
import { ConfigError, loadConfig } from "../../config/config.ts";
import { CliError, exitCode, type GlobalOptions } from "../options.ts";

export interface ConfiguredSearch {
  groups: string[];
  extraIps: string[];
  library: string | undefined;
}

/** As with other verbs, a wrong streamem.yaml keeps nobody from looking unless it was named. */
export async function configuredSearch({ config }: GlobalOptions): Promise<ConfiguredSearch> {
  const sensors = await ndiSensors(config);
  return {
    groups: sensors.flatMap(({ groups }) => groups),
    extraIps: sensors.flatMap(({ extraIps, address }) => [...extraIps, ...hostOf(address)]),
    library: sensors.find(({ library }) => library !== undefined)?.library,
  };
}

async function ndiSensors(file: string | undefined): Promise<NdiConfig[]> {
  try {
    const { sensors } = await loadConfig(file);
    return sensors.filter(({ kind }) => kind === "ndi").map(({ config }) => config as NdiConfig);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (file !== undefined) throw new CliError(error.message, exitCode.usage);
    console.error(`${error.message}\nLooking as if there were no configuration.`);
    return [];
  }
}

function hostOf(address: string | undefined): string[] {
  return address === undefined ? [] : [address.slice(0, address.lastIndexOf(":"))];
}
