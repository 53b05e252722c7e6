/** `/metrics` for Prometheus: streams, sensors and the hub's own process. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { Counter, Gauge, Registry } from "prom-client";
import type { Lives } from "../live/lives.ts";
import type { Hops } from "../streams/hops.ts";
import { type Stream, type StreamStatus, streamStates } from "../streams/stream.ts";
import type { StreamRegistry } from "../streams/streams.ts";
import type { Parts } from "./app.ts";
import { reading } from "./find.ts";
import type { ApiEnv } from "./guard.ts";
import { liveMetrics } from "./live-metrics.ts";
import { Problem } from "./problem.ts";
import { sensorMetrics } from "./sensor-metrics.ts";
import { sinkMetrics } from "./sink-metrics.ts";

const route = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["hub"],
  summary: "Prometheus metrics",
  responses: {
    200: {
      description: "Text in Prometheus' format",
      content: { "text/plain": { schema: z.string() } },
    },
  },
});

export function metricsRoutes({ registry, supervisor, sinks }: Parts, lives: Lives) {
  const metrics = new Registry();
  processMetrics(metrics);
  const collectStreams = streamMetrics(metrics);
  const collectSensors = sensorMetrics(metrics);
  liveMetrics(metrics, lives);
  const collectSinks = sinkMetrics(metrics);
  return new OpenAPIHono<ApiEnv>().openapi(route, async (c) => {
    collectStreams(registry);
    collectSensors(supervisor);
    collectSinks(sinks());
    const type = { "Content-Type": metrics.contentType, "Cache-Control": "no-store" };
    return c.text(await metrics.metrics(), 200, type);
  });
}

/** Not prom-client's default set: under Bun most of it is zero or wrong (a heap of 6 GB). */
function processMetrics(metrics: Registry): void {
  const registers = [metrics];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of the hub, without its sensors",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the hub, without its sensors",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the hub started, seconds since 1970",
    registers,
  }).set(performance.timeOrigin / 1000);
}

function streamMetrics(metrics: Registry): (registry: StreamRegistry) => void {
  const registers = [metrics];
  const labelNames = ["stream"] as const;
  const frames = new Counter({
    name: "streamem_stream_frames_total",
    help: "Frames published in all generations that the hub has seen",
    labelNames,
    registers,
  });
  const generations = new Counter({
    name: "streamem_stream_generations_total",
    help: "Rings under the stream's name that the hub has seen",
    labelNames,
    registers,
  });
  const rate = new Gauge({
    name: "streamem_stream_rate_hertz",
    help: "Frames per second over about two seconds",
    labelNames,
    registers,
  });
  const age = new Gauge({
    name: "streamem_stream_age_seconds",
    help: "Since the newest frame was published",
    labelNames,
    registers,
  });
  const latency = new Gauge({
    name: "streamem_stream_latency_seconds",
    help: "Of the newest frame: capture to arrival, arrival to publish, capture to publish",
    labelNames: ["stream", "hop"] as const,
    registers,
  });
  const captureError = new Gauge({
    name: "streamem_stream_capture_error_seconds",
    help: "Bound of the error of the newest frame's capture time, and so of the hops from it",
    labelNames,
    registers,
  });
  const reserved = new Gauge({
    name: "streamem_stream_reserved_bytes",
    help: "Shared memory that the ring takes",
    labelNames,
    registers,
  });
  const state = new Gauge({
    name: "streamem_stream_state",
    help: "1 for the state that the stream is in",
    labelNames: ["stream", "state"] as const,
    registers,
  });

  const add = (stream: Stream, status: StreamStatus) => {
    const labels = { stream: stream.name };
    frames.inc(labels, Number(status.frames));
    generations.inc(labels, status.generations);
    if (status.measuredRate !== null) rate.set(labels, status.measuredRate);
    if (status.ageNs !== null) age.set(labels, Number(status.ageNs) / 1e9);
    for (const [hop, ns] of hopsByName(status.hops)) {
      if (ns !== null) latency.set({ ...labels, hop }, Number(ns) / 1e9);
    }
    const errorNs = status.hops?.captureErrorNs ?? null;
    if (errorNs !== null) captureError.set(labels, Number(errorNs) / 1e9);
    reserved.set(labels, stream.segment.header.totalBytes);
    for (const one of streamStates) state.set({ ...labels, state: one }, +(status.state === one));
  };

  return (registry) => {
    const all = [frames, generations, rate, age, latency, captureError, reserved, state];
    for (const metric of all) metric.reset();
    for (const { name } of registry.list()) {
      const stream = registry.get(name);
      if (stream)
        unlessUnreadable(() =>
          add(
            stream,
            reading(registry, name, () => stream.look()),
          ),
        );
    }
  };
}

function hopsByName(hops: Hops | null): [string, bigint | null][] {
  if (!hops) return [];
  return [
    ["capture-arrival", hops.captureToArrivalNs],
    ["arrival-publish", hops.arrivalToPublishNs],
    ["capture-publish", hops.captureToPublishNs],
  ];
}

function unlessUnreadable(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}
