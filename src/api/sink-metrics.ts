/** What `/metrics` says about sinks. */
import { Counter, Gauge, type Registry } from "prom-client";
import { sensorStates } from "../supervisor/sensor-status.ts";
import type { SinkStatus } from "./sinks.ts";

/** These go up and down. */
const gauged = ["buffered"];

export function sinkMetrics(metrics: Registry): (sinks: SinkStatus[]) => void {
  const registers = [metrics];
  const labelNames = ["sink", "kind"] as const;
  const restarts = new Counter({
    name: "streamem_sink_restarts_total",
    help: "Processes of the sink started again after a crash, a hang or an error",
    labelNames,
    registers,
  });
  const state = new Gauge({
    name: "streamem_sink_state",
    help: "1 for the state that the sink is in",
    labelNames: [...labelNames, "state"] as const,
    registers,
  });
  const counted = new Counter({
    name: "streamem_sink_messages_total",
    help: "Messages since the sink's process was started: sent, dropped from a full buffer, missed in the ring",
    labelNames: [...labelNames, "what"] as const,
    registers,
  });
  const buffered = new Gauge({
    name: "streamem_sink_buffered_messages",
    help: "Messages that wait to be sent",
    labelNames,
    registers,
  });

  return (sinks) => {
    for (const metric of [restarts, state, counted, buffered]) metric.reset();
    for (const sink of sinks) {
      const labels = { sink: sink.name, kind: sink.kind };
      restarts.inc(labels, sink.restarts);
      for (const one of sensorStates) state.set({ ...labels, state: one }, +(sink.state === one));
      for (const [what, count] of Object.entries(sink.counters)) {
        if (gauged.includes(what)) buffered.set(labels, count);
        else counted.inc({ ...labels, what }, count);
      }
    }
  };
}
