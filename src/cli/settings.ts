/** Which hub a verb is about: flags win over the environment, which wins over the configuration. */
import { type Config, ConfigError, loadConfig } from "../config/config.ts";
import { CliError, exitCode, type GlobalOptions } from "./options.ts";

export interface Settings {
  prefix: string;
  host: string;
  port: number;
}

/**
 * A wrong `streamem.yaml` that nobody asked for does not keep anybody from looking at streams: it is
 * said on stderr. One named by `--config` does.
 */
export async function settings(options: GlobalOptions): Promise<Settings> {
  const { prefix, host, port } = { ...(await configured(options)), ...given(options) };
  return { prefix, host, port };
}

function given({ prefix = process.env.STREAMEM_PREFIX, host, port }: GlobalOptions) {
  const all = { prefix: prefix || undefined, host, port };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function configured({ config: file }: GlobalOptions): Promise<Settings> {
  try {
    return await loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (file !== undefined) throw new CliError(error.message, exitCode.usage);
    console.error(`${error.message}\nTaking the defaults instead.`);
    return defaults;
  }
}

const defaults: Pick<Config, "prefix" | "host" | "port"> = {
  prefix: "streamem",
  host: "127.0.0.1",
  port: 7766,
};

/** Where a browser of this machine reaches the hub. */
export function hubUrl({ host, port }: Settings): string {
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
