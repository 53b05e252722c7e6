/**
 * The NDI sensor as its process runs it, without the hub, and speaks the protocol of program.h. Arguments: address,
 * seconds of a round, pixel format. A sample is the process's CPU time by picture, all of libndi's threads included.
 */
import type { NdiPixelFormat } from "../sensors/ndi/config.ts";
import { ndi } from "../sensors/ndi.ts";
import type { SensorContext } from "../sensors/sensor.ts";
import { createWriter, type RingWriter } from "../src/ring.ts";
import type { Series } from "./bench.ts";

const [address = "", seconds = "", pixelFormat = "bgr24"] = process.argv.slice(2);
const settlingMs = 1000;
const config = ndi.config.parse({
  ...{ kind: "ndi", name: `ndi-${pixelFormat}`, address },
  pixelFormat: pixelFormat as NdiPixelFormat,
});
const writers = new Map<string, RingWriter>();
let pictures = 0;

function contextFor(signal: AbortSignal): SensorContext {
  const silent = () => {};
  return {
    ...{ name: config.name, prefix: "", part: "", signal, counters: {} },
    log: { debug: silent, info: silent, warn: console.error, error: console.error },
    stream(name, spec, options) {
      writers.get(name)?.close();
      const made = createWriter(name, spec, options);
      const commit = made.commit.bind(made);
      made.commit = (bytes, meta) => {
        pictures += 1;
        return commit(bytes, meta);
      };
      writers.set(name, made);
      return made;
    },
    ...{ state: silent, clock: silent, calibration: silent, tell: silent, heard: silent },
    controls: silent,
  };
}

function usedNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

async function round(): Promise<Series[]> {
  const over = new AbortController();
  const running = ndi.run(config, contextFor(over.signal));
  await Bun.sleep(settlingMs);
  const [before, counted] = [usedNs(), pictures];
  await Bun.sleep(Number(seconds) * 1000);
  const sample = (usedNs() - before) / (pictures - counted);
  over.abort();
  await running;
  const contender = `the sensor, ${pixelFormat}`;
  return [{ case: "CPU time of a 1080p60 picture", contender, condition: "", samples: [sample] }];
}

console.log(JSON.stringify({ ready: true }));
for await (const _ of console) console.log(JSON.stringify({ series: await round() }));
for (const writer of writers.values()) writer.close();
process.exit(0);
