/** What `/metrics` says about sensors: their processes, what they count, and how well their clocks are known. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { ClockState } from "../../sensors/sensor.ts";
import { type SensorStatus, sensorStates } from "../supervisor/sensor-status.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { probeAgeNs } from "./bodies.ts";

interface ClockMetric {
  name: string;
  help: string;
  /** Null where it is not known, and left out then. */
  value(clock: ClockState): number | null;
}

const seconds = (ns: bigint | null) => (ns === null ? null : Number(ns) / 1e9);

const clockMetrics: ClockMetric[] = [
  {
    name: "offset_seconds",
    help: "CLOCK_MONOTONIC minus the device's clock",
    value: ({ offsetNs }) => seconds(offsetNs),
  },
  {
    name: "error_seconds",
    help: "Bound of the error of capture times",
    value: ({ errorNs }) => seconds(errorNs),
  },
  {
    name: "rate_ppm",
    help: "How much slower the device's clock runs",
    value: ({ ratePpm }) => ratePpm,
  },
  {
    name: "round_trip_seconds",
    help: "The least of the probes",
    value: ({ roundTripNs }) => seconds(roundTripNs),
  },
  {
    name: "probes",
    help: "Probes of this epoch; packets where only arrivals are seen",
    value: ({ probes }) => probes,
  },
  {
    name: "probe_age_seconds",
    help: "Since the newest probe was asked",
    value: ({ probedNs }) => seconds(probeAgeNs(probedNs)),
  },
  {
    name: "epoch",
    help: "Grows when the device's clock was reset",
    value: ({ epoch }) => epoch,
  },
];

export function sensorMetrics(metrics: Registry): (supervisor: Supervisor) => void {
  const registers = [metrics];
  const labelNames = ["sensor", "kind"] as const;
  const restarts = new Counter({
    name: "streamem_sensor_restarts_total",
    help: "Processes of the sensor started again after a crash, a hang or an error",
    labelNames,
    registers,
  });
  const state = new Gauge({
    name: "streamem_sensor_state",
    help: "1 for the state that the sensor is in",
    labelNames: [...labelNames, "state"] as const,
    registers,
  });
  const counted = new Counter({
    name: "streamem_sensor_counted_total",
    help: "What each process of the sensor counts itself since it was started: dropped, skipped, ...",
    labelNames: [...labelNames, "part", "what"] as const,
    registers,
  });
  const clocks = clockMetrics.map(({ name, help, value }) => ({
    value,
    gauge: new Gauge({ name: `streamem_sensor_clock_${name}`, help, labelNames, registers }),
  }));

  const add = (sensor: SensorStatus) => {
    const labels = { sensor: sensor.name, kind: sensor.kind };
    restarts.inc(labels, sensor.restarts);
    for (const one of sensorStates) state.set({ ...labels, state: one }, +(sensor.state === one));
    for (const { part, what, count } of countsOf(sensor)) {
      counted.inc({ ...labels, ...(part && { part }), what }, count);
    }
    for (const { gauge, value } of clocks) {
      const known = sensor.clock && value(sensor.clock);
      if (known !== null) gauge.set(labels, known);
    }
  };

  return (supervisor) => {
    const all = [restarts, state, counted, ...clocks.map(({ gauge }) => gauge)];
    for (const metric of all) metric.reset();
    for (const sensor of supervisor.list()) add(sensor);
  };
}

/** Without those that are no counts: a sensor may put any number there. */
function countsOf({ parts, counters }: SensorStatus) {
  const processes = parts.length > 0 ? parts : [{ name: "", counters }];
  return processes
    .flatMap(({ name: part, counters }) =>
      Object.entries(counters).map(([what, count]) => ({ part, what, count })),
    )
    .filter(({ count }) => count >= 0 && Number.isFinite(count));
}
