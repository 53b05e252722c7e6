/** Every bench there is, loaded only when it is asked for. */
import type { Bench } from "./bench.ts";

const files = {
  peers: () => import("./peers.ts"),
  scale: () => import("./scale.ts"),
  publish: () => import("./publish.ts"),
  readers: () => import("./readers.ts"),
  wakeup: () => import("./wakeup.ts"),
  look: () => import("./look.ts"),
  python: () => import("./python.ts"),
  clients: () => import("./clients.ts"),
  builds: () => import("./builds.ts"),
  video: () => import("./video.ts"),
  "hololens-decode": () => import("./hololens-decode.ts"),
  "hololens-copies": () => import("./hololens-copies.ts"),
  "hololens-latency": () => import("./hololens-latency.ts"),
  "hololens-long": () => import("./hololens-long.ts"),
  page: () => import("./page.ts"),
  "page-long": () => import("./page-long.ts"),
  live: () => import("./live.ts"),
  ndi: () => import("./ndi.ts"),
  "ndi-long": () => import("./ndi-long.ts"),
  idle: () => import("./idle.ts"),
  hub: () => import("./hub.ts"),
  fresh: () => import("./fresh.ts"),
};

export const benchNames = Object.keys(files);

export async function loadBench(name: string): Promise<Bench> {
  return (await files[name as keyof typeof files]()).bench;
}
