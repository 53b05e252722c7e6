/** `streamem ls`: the streams of this machine, from /dev/shm alone. */
import { Command } from "commander";
import { aligned } from "../startup-table.ts";
import type { GlobalOptions } from "./options.ts";
import { allFacts, openRings, type StreamFacts } from "./rings.ts";
import { settings } from "./settings.ts";
import { ageWords, bytesWords, rateWords, shapeWords, throughputWords } from "./words.ts";

export const command = new Command("ls").action(async () => {
  const options = command.optsWithGlobals<GlobalOptions>();
  const { prefix } = await settings(options);
  const { streams, unreadable } = openRings(prefix);
  const { facts, unreadable: cut } = allFacts(streams);
  for (const stream of streams) stream.close();
  if (options.json) {
    console.log(JSON.stringify({ streams: facts, unreadable: [...unreadable, ...cut] }));
    return;
  }
  if (facts.length > 0) console.log(table(facts));
  else console.error(`There is no stream: no ring in /dev/shm/${prefix}.*`);
  for (const { path, why } of [...unreadable, ...cut]) console.error(`${path}: ${why}`);
});

function table(facts: StreamFacts[]): string {
  const head = ["stream", "kind", "type and shape", "rate", "bytes", "age", "memory", "state"];
  const rows = facts.map((stream) => [
    stream.name,
    stream.kind,
    shapeWords(stream),
    rateWords(stream.measuredRate),
    throughputWords(stream.bytesPerSecond),
    ageWords(stream.ageNs),
    bytesWords(stream.reservedBytes),
    stream.state,
  ]);
  return aligned([head, ...rows], [3, 4, 5, 6]);
}
