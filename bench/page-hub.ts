/** A hub without sensors of its own beside a process that publishes cameras: what a page looks at. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext } from "./bench.ts";
import { type StartedHub, startHub } from "./hub-process.ts";

export interface WatchedHub {
  hub: StartedHub;
  hubPid: number;
  picturesPid: number;
  end(): Promise<void>;
}

export async function startWatchedHub(context: BenchContext, cameras: number): Promise<WatchedHub> {
  const config = join(context.folder, "page.yaml");
  writeFileSync(config, "sensors: []\n");
  const main = join(import.meta.dir, "..", "src", "main.ts");
  const flags = ["--json", "--port", "0", "--config", config];
  const hub = await startHub([process.execPath, main, "hub", ...flags], context.folder, {
    ...context.environment,
  });
  const program = join(import.meta.dir, "page-pictures.ts");
  const pictures = Bun.spawn([process.execPath, program, String(cameras)], {
    env: { ...process.env, ...context.environment },
    stdout: "pipe",
    stderr: "inherit",
  });
  await pictures.stdout.getReader().read();
  return {
    hub,
    hubPid: hub.pids.get("hub") as number,
    picturesPid: pictures.pid,
    async end() {
      pictures.kill();
      await pictures.exited;
      await hub.end();
    },
  };
}
