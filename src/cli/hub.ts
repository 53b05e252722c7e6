/** `streamem hub`: runs until SIGINT or SIGTERM. */
import { Command } from "commander";
import { type Config, ConfigError, loadConfig, prefixPattern } from "../config/config.ts";
import { type Hub, startHub } from "../hub.ts";
import { ListenError } from "../listen.ts";
import { startLog } from "../log/log.ts";
import { RingError } from "../ring/ffi.ts";
import { announce } from "../startup.ts";
import { endAsked } from "./end-asked.ts";
import { CliError, exitCode, type GlobalOptions } from "./options.ts";

export const command = new Command("hub").action(async () => {
  const options = command.optsWithGlobals<GlobalOptions>();
  const endLog = await startLog({ json: options.json });
  const ending = endAsked();
  const hub = await started(withFlags(await configured(options), options));
  await Promise.race([announce(hub, options.json ?? false), ending]);
  await ending;
  await hub.close();
  await endLog();
  // Whatever a library still has open is of no use any more.
  process.exit(exitCode.done);
});

async function configured({ config, json }: GlobalOptions): Promise<Config> {
  try {
    return await loadConfig(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems } = error;
    if (json) process.stdout.write(`${JSON.stringify({ event: "refused", problems })}\n`);
    throw new CliError(error.message, exitCode.usage);
  }
}

/** Flags win over the environment, which wins over the file. */
function withFlags(config: Config, options: GlobalOptions): Config {
  const prefix = options.prefix ?? process.env.STREAMEM_PREFIX ?? config.prefix;
  if (!prefixPattern.test(prefix)) {
    const words = `STREAMEM_PREFIX is "${prefix}"; allowed: 1 to 32 of a-z 0-9 _ - (no dot)`;
    throw new CliError(words, exitCode.usage);
  }
  const { host = config.host, port = config.port } = options;
  return { ...config, host, port, prefix };
}

async function started(config: Config): Promise<Hub> {
  try {
    return await startHub(config);
  } catch (error) {
    // RingError: there is no folder for the doorbells.
    if (error instanceof ListenError || error instanceof RingError) {
      throw new CliError(error.message);
    }
    throw error;
  }
}
