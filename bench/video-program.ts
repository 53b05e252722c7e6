/**
 * CPU time of a film's pictures, through the video sensor and through the bare library, and speaks the protocol of
 * program.h. Both decode with one thread; process.cpuUsage() counts every thread, also those that wait for the file.
 */
import { join } from "node:path";
import type { SensorContext } from "../sensors/sensor.ts";
import { type Ffmpeg, loadFfmpeg, type Packet } from "../sensors/video/ffmpeg.ts";
import { listenToFfmpeg } from "../sensors/video/ffmpeg-log.ts";
import { createPictureDecoder, openDecoder } from "../sensors/video/picture-decoder.ts";
import { createPictureRing } from "../sensors/video/picture-ring.ts";
import { openSource, type Source } from "../sensors/video/source.ts";
import { video } from "../sensors/video.ts";
import { createWriter, type RingWriter } from "../src/ring.ts";
import type { Series } from "./bench.ts";

const path = join(import.meta.dir, "../test/data/bbb-720p.mp4");
const width = 1280;
const height = 720;
const periodMs = 40;
const kase = "720p H.264, one thread";

/** CPU ns per picture between the first mark and the last: opening the file is left out. */
function meter() {
  let marks = 0;
  let first = process.cpuUsage();
  let last = first;
  return {
    mark() {
      last = process.cpuUsage();
      if (marks++ === 0) first = last;
    },
    perPictureNs(): number {
      const us = last.user + last.system - first.user - first.system;
      return (us * 1000) / (marks - 1);
    },
  };
}

async function eachPicture(source: Source, use: (packet: Packet | null) => Promise<void>) {
  const packet = new ffmpeg.Packet();
  packet.alloc();
  while ((await source.read(packet)) >= 0) {
    if (packet.streamIndex === source.picture.index) await use(packet);
    packet.unref();
  }
  await use(null);
  packet.free();
}

function open(ffmpeg: Ffmpeg): Promise<Source> {
  const address = { type: "file" as const, path, words: path };
  const options = { address, audio: false, transport: "tcp" as const };
  return openSource(ffmpeg, log, options, new AbortController().signal);
}

/** What FFmpeg itself costs: decoded, converted into private memory. */
async function bare(paced: boolean): Promise<number> {
  const source = await open(ffmpeg);
  const { context } = openDecoder(ffmpeg, source.picture, (context) => {
    context.threadCount = 1;
  });
  const frame = new ffmpeg.Frame();
  frame.alloc();
  const target = new ffmpeg.Frame();
  target.alloc();
  target.width = width;
  target.height = height;
  target.format = ffmpeg.constants.AV_PIX_FMT_BGR24;
  target.fromBuffer(privateMemory);
  const scaler = new ffmpeg.SoftwareScaleContext();
  scaler.allocContext();
  const cpu = meter();
  const startMs = performance.now();
  let shown = 0;
  await eachPicture(source, async (packet) => {
    context.sendPacketSync(packet);
    while (context.receiveFrameSync(frame) >= 0) {
      scaler.scaleFrameSync(target, frame);
      if (paced) await Bun.sleep(Math.max(0, startMs + periodMs * shown++ - performance.now()));
      cpu.mark();
    }
  });
  scaler.freeContext();
  context.freeContext();
  for (const each of [frame, target]) each.free();
  await source.close();
  return cpu.perPictureNs();
}

/** The sensor's own parts in a row, with nobody to wait for. */
async function sensorParts(): Promise<number> {
  const source = await open(ffmpeg);
  const cpu = meter();
  const ring = createPictureRing(ffmpeg, contextFor(cpu.mark), { pixelFormat: "bgr24" });
  const decoder = createPictureDecoder(ffmpeg, log, source.picture, {
    threads: 1,
    live: false,
    dropped: () => {},
  });
  const origin = {
    rate: 25,
    ticks: "1/12800 s",
    clock: { name: "film", unit: "1/12800 s", epoch: "start", method: "local" as const },
    source: {},
  };
  await eachPicture(source, async (packet) => {
    for await (const frame of decoder.pictures(packet)) {
      ring.place(frame, origin);
      ring.publish({ deviceTime: frame.pts });
    }
  });
  decoder.close();
  ring.close();
  await source.close();
  return cpu.perPictureNs();
}

async function wholeSensor(): Promise<number> {
  const cpu = meter();
  const config = video.config.parse({ kind: "video", name: "video", url: path, audio: false });
  await video.run(config, contextFor(cpu.mark));
  log = listenToFfmpeg(ffmpeg, () => {}); // the sensor has taken the library's log and given it back
  return cpu.perPictureNs();
}

const writers: RingWriter[] = [];

function contextFor(committed: () => void): SensorContext {
  const silent = () => {};
  return {
    name: "video",
    prefix: "",
    part: "",
    signal: new AbortController().signal,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    counters: {},
    stream(name, spec, options) {
      writers.pop()?.close();
      const made = createWriter(name, spec, options);
      const commit = made.commit.bind(made);
      made.commit = (bytes, meta) => {
        const sequence = commit(bytes, meta);
        committed();
        return sequence;
      };
      writers.push(made);
      return made;
    },
    state: silent,
    clock: silent,
    calibration: silent,
    tell: silent,
    heard: silent,
    controls: silent,
  };
}

const ffmpeg = await loadFfmpeg();
let log = listenToFfmpeg(ffmpeg, () => {});
const privateMemory = Buffer.alloc(width * height * 3 + 64);

async function round(): Promise<Series[]> {
  const runs = [
    { contender: "FFmpeg alone", condition: "hot", run: () => bare(false) },
    { contender: "the video sensor", condition: "hot", run: sensorParts },
    { contender: "FFmpeg alone", condition: "25 Hz", run: () => bare(true) },
    { contender: "the video sensor", condition: "25 Hz", run: wholeSensor },
  ]
    .map((run) => ({ run, at: Math.random() }))
    .sort((a, b) => a.at - b.at);
  const series: Series[] = [];
  for (const { run } of runs) {
    const { contender, condition } = run;
    series.push({ case: kase, contender, condition, samples: [await run.run()] });
  }
  return series;
}

await bare(false); // let the JIT settle
await sensorParts();
console.log(JSON.stringify({ ready: true }));
for await (const _ of console) console.log(JSON.stringify({ series: await round() }));
writers.pop()?.close();
process.exit(0); // FFmpeg's log would keep the process alive
