/** The hub: sensors, the list of streams and the HTTP API, started and ended together. */
import type { PlannedStream } from "../sensors/sensor.ts";
import { createApp } from "./api/app.ts";
import { sinkParts } from "./api/sinks.ts";
import type { Config } from "./config/config.ts";
import { groupId } from "./config/group.ts";
import { type HubServer, listen } from "./listen.ts";
import { logFor } from "./log/log.ts";
import { MessageStreams } from "./messages/message-streams.ts";
import { doorbellFolder } from "./ring/doorbell.ts";
import { RingError } from "./ring.ts";
import { StreamRegistry } from "./streams/streams.ts";
import { sweepPrefix, sweepStreams } from "./streams/sweep.ts";
import { createSupervisor, type Supervisor } from "./supervisor/supervisor.ts";

export interface Hub {
  /** Of the HTTP API, without a slash at the end. */
  url: string;
  prefix: string;
  supervisor: Supervisor;
  registry: StreamRegistry;
  /** As configured: what is known of streams before their sensors run. */
  planned: PlannedStream[];
  /** Sensors ended, rings retired and unlinked, port closed. */
  close(): Promise<void>;
}

/** The port comes first: where it is taken, no sensor is started. */
export async function startHub(config: Config): Promise<Hub> {
  const log = logFor("hub");
  const { prefix } = config;
  const group = config.group === null ? null : groupId(config.group);
  const directory = doorbellFolder({ group: group ?? undefined });

  const supervisor = createSupervisor({
    sensors: config.sensors,
    prefix,
    group,
    directory,
    sweep: (names) => sweepStreams(prefix, names, directory),
  });
  const registry = new StreamRegistry({
    prefix,
    sweep: (name) => sweepStreams(prefix, [name], directory),
  });
  const messages = new MessageStreams({ prefix, group, directory, declared: config.messages });
  const sinks = createSupervisor({
    sensors: config.sinks,
    prefix,
    group,
    directory,
    sweep: () => {}, // they make no streams
    kindsModule: new URL("../sinks/kinds.ts", import.meta.url).pathname,
  });
  const app = createApp({
    registry,
    supervisor,
    messages,
    sinks: sinkParts(config.sinks, sinks),
    configFile: config.file,
  });
  const server = listen(config.host, config.port, (request, server) =>
    app.fetch(request, { server }),
  );
  warnOfOpenDoor(config.host, log.warn);

  const swept = sweepPrefix(prefix, directory);
  if (swept.length > 0) {
    log.info(`cleared away what a dead writer had left: ${swept.join(", ")}`, { swept });
  }
  for (const { name } of config.messages) openMessages(messages, name, log.warn);
  await Promise.all(config.sensors.map((sensor) => supervisor.start(sensor.name)));
  await Promise.all(config.sinks.map((sink) => sinks.start(sink.name)));

  return {
    url: urlOf(server),
    prefix,
    supervisor,
    registry,
    planned: config.sensors.flatMap(({ streams }) => streams),
    async close() {
      await supervisor.close();
      messages.close();
      await sinks.close(); // after those whose last messages they send
      registry.close();
      await server.stop(true);
    },
  };
}

/** Where another program has the stream, the first message tries again. */
function openMessages(messages: MessageStreams, name: string, warn: (words: string) => void): void {
  try {
    messages.open(name);
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    warn(`messages: ${error.message}`);
  }
}

function warnOfOpenDoor(host: string, warn: (words: string) => void): void {
  if (host === "localhost" || host === "::1" || host.startsWith("127.")) return;
  warn(`everybody who can reach ${host} can see what the sensors see: there is no access control`);
}

function urlOf(server: HubServer): string {
  return server.url.href.replace(/\/$/, "");
}
