/** `streamem top`: what flows now. In place on a terminal, one table after the other elsewhere. */
import { statfsSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { aligned } from "../startup-table.ts";
import { StreamRegistry } from "../streams/streams.ts";
import type { GlobalOptions } from "./options.ts";
import { allFacts, type StreamFacts } from "./rings.ts";
import { Screen } from "./screen.ts";
import { settings } from "./settings.ts";
import { ageWords, bytesWords, rateWords, throughputWords } from "./words.ts";

interface TopOptions extends GlobalOptions {
  once?: boolean;
  count?: number;
  interval: number;
}

export const command = new Command("top")
  .option("--once", "look once and end")
  .option("--count <n>", "look so many times and end", wholeNumber)
  .option("--interval <seconds>", "time between two looks", positive, 1)
  .action(async () => {
    const options = command.optsWithGlobals<TopOptions>();
    const { prefix } = await settings(options);
    // Looks only: what dead writers left is cleared away by the hub.
    const registry = new StreamRegistry({ prefix, deadMs: Number.POSITIVE_INFINITY });
    const count = options.once ? 1 : (options.count ?? Number.POSITIVE_INFINITY);
    const inPlace = process.stdout.isTTY && !options.json && count > 1;
    // `streamem top | head` ends when head has seen enough.
    process.stdout.on("error", () => process.exit(0));
    const screen = inPlace ? new Screen() : null;
    for (let i = 0; i < count; i++) {
      if (i > 0) await Bun.sleep(options.interval * 1000);
      const { facts } = allFacts(registry.list());
      if (screen) screen.show(page(prefix, facts));
      else if (options.json) print(JSON.stringify({ streams: facts }));
      else print(`${i > 0 ? "\n" : ""}${page(prefix, facts)}`);
    }
    screen?.close();
    registry.close();
  });

/** Not by console.log, which is silent about a pipe that nobody reads any more. */
function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It is a number above 0.");
}

function page(prefix: string, facts: StreamFacts[]): string {
  const head = [
    "stream",
    "state",
    "rate",
    "of",
    "bytes",
    "age",
    "arrived",
    "published",
    "memory",
    "wake",
    "frames",
    "pid",
  ];
  const rows = facts.map((stream) => [
    stream.name,
    stream.state,
    rateWords(stream.measuredRate),
    rateWords(stream.rate),
    throughputWords(stream.bytesPerSecond),
    ageWords(stream.ageNs),
    ...latencyWords(stream),
    bytesWords(stream.reservedBytes),
    wakeWords(stream),
    stream.lastSequence,
    String(stream.writer.pid),
  ]);
  const list =
    rows.length > 0 ? aligned([head, ...rows], [2, 3, 4, 5, 6, 7, 8, 10, 11]) : "no streams";
  return `${list}\n${sums(prefix, facts)}`;
}

/** Of the newest frame: how long after its capture it was here, and how long after that (or its capture) in the ring. */
function latencyWords({ latency }: StreamFacts): [string, string] {
  if (!latency) return ["", ""];
  const { captureToArrivalNs, arrivalToPublishNs, captureToPublishNs, captureErrorNs } = latency;
  const error = captureErrorNs === null ? "" : ` ±${ageWords(captureErrorNs)}`;
  const whole = captureToPublishNs === null ? "" : ageWords(captureToPublishNs) + error;
  if (arrivalToPublishNs === null) return ["", whole];
  const arrived = captureToArrivalNs === null ? "" : ageWords(captureToArrivalNs) + error;
  return [arrived, `+${ageWords(arrivalToPublishNs)}`];
}

/** How a reader learns of a frame, the dearest way that the writer offers. */
function wakeWords({ wakeMode, wake }: StreamFacts): string {
  if (wakeMode === "none") return "poll";
  return wake ? "futex, socket" : "futex";
}

function sums(prefix: string, facts: StreamFacts[]): string {
  const flow = facts.reduce((sum, stream) => sum + (stream.bytesPerSecond ?? 0), 0);
  const reserved = facts.reduce((sum, stream) => sum + stream.reservedBytes, 0);
  const { bavail, bsize } = statfsSync("/dev/shm");
  return (
    `${facts.length} ${facts.length === 1 ? "stream" : "streams"} of ${prefix}: ${throughputWords(flow)}, ` +
    `${bytesWords(reserved)} reserved, ${bytesWords(bavail * bsize)} free in /dev/shm`
  );
}
