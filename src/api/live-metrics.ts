/** What `/metrics` says about those who look at streams through the hub. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Lives } from "../live/lives.ts";

export function liveMetrics(metrics: Registry, lives: Lives): void {
  const registers = [metrics];
  new Gauge({
    name: "streamem_live_viewers",
    help: "Connections that look at a stream",
    registers,
    collect() {
      this.set(lives.viewers.length);
    },
  });
  new Gauge({
    name: "streamem_live_waiting_bytes",
    help: "Bytes that slow viewers have not taken yet, the most of any one: never more than one message",
    registers,
    collect() {
      this.set(Math.max(0, ...lives.viewers.map(({ waitingBytes }) => waitingBytes)));
    },
  });
  new Counter({
    name: "streamem_live_previews_total",
    help: "Pictures made small and encoded: one per frame and size, however many look",
    registers,
    collect() {
      this.reset();
      this.inc(lives.counters.previews);
    },
  });
  new Counter({
    name: "streamem_live_frames_sent_total",
    help: "Frames sent to viewers",
    registers,
    collect() {
      this.reset();
      this.inc(lives.counters.sent);
    },
  });
}
