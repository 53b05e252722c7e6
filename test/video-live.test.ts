/** RTSP, against GStreamer's server on this machine: pictures, times, and what happens when it goes away. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Subprocess, TCPSocketListener } from "bun";
import { losingProxy } from "./fixtures/rtsp-proxy.ts";
import {
  bigBuckBunny,
  ffmpeg,
  filmFolder,
  haveFfmpeg,
  md5OfPictures,
  type TakenFrame,
  VideoRig,
} from "./video-rig.ts";

// Debian's own Python: the modules of its packages are there, whatever comes first in PATH.
const python = "/usr/bin/python3";
const probe = 'import gi; gi.require_version("GstRtspServer", "1.0")';
const haveServer = haveFfmpeg && Bun.spawnSync([python, "-c", probe], { stderr: "ignore" }).success;
if (!haveServer) {
  console.warn(
    "GStreamer's RTSP server is missing: RTSP not tested. apt-get install python3-gi " +
      "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad",
  );
}

const rig = new VideoRig("live");
const films = filmFolder();
const servers: Subprocess[] = [];
const proxies: TCPSocketListener<unknown>[] = [];
afterEach(async () => {
  await rig.close();
  for (const proxy of proxies.splice(0)) proxy.stop(true);
  for (const server of servers.splice(0)) await kill(server);
});
afterAll(() => films.remove());

async function kill(server: Subprocess): Promise<void> {
  server.kill("SIGKILL");
  await server.exited;
}

/** `seconds` of a film with a key frame each half second; made once. */
function film(seconds: number): string {
  const path = films.path(`${seconds}.mp4`);
  const picture = ["-vf", "scale=160:90", "-c:v", "libx264", "-g", "12", "-bf", "0"];
  const sound = ["-c:a", "aac", "-ac", "2"];
  const loop = ["-stream_loop", "-1", "-i", bigBuckBunny, "-t", String(seconds)];
  if (!made.has(path)) ffmpeg(...loop, ...picture, ...sound, path);
  made.add(path);
  return path;
}
const made = new Set<string>();

/** Resolves with its port when the server listens. */
async function serve(path: string, options: { port?: number; user?: string } = {}) {
  const script = join(import.meta.dir, "fixtures/rtsp-server.py");
  const words = [String(options.port ?? 0), path, ...(options.user ? [options.user] : [])];
  const server = Bun.spawn([python, script, ...words], { stdout: "pipe", stderr: "inherit" });
  servers.push(server);
  const { value } = await server.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value).match(/^ready (\d+)/)?.[1]);
  return { server, port };
}

/** With room for the burst at the beginning, which the server has sent while FFmpeg was looking. */
const start = (url: string, keys = {}) => rig.start({ url, slots: 64, ...keys });

async function frames(count: number, name = "film"): Promise<TakenFrame[]> {
  const taken: TakenFrame[] = [];
  for await (const frame of rig.frames(name)) {
    taken.push(frame);
    if (taken.length === count) break;
  }
  return taken;
}

describe.skipIf(!haveServer)("an RTSP camera", () => {
  for (const transport of ["tcp", "udp"]) {
    test(`over ${transport}: every picture as it was sent, stamped one way`, async () => {
      // So long that its end, after which the clock begins anew, is far away.
      const truth = md5OfPictures(film(20));
      const { port } = await serve(film(20));
      await start(`rtsp://127.0.0.1:${port}/film`, { transport });
      const taken = await frames(75);
      const first = Number(taken[0]?.seq) - 1;
      const sent = truth.slice(first, first + 75);
      expect(taken.map((frame) => frame.md5)).toEqual(sent);
      const { clock, rate, source } = (await rig.reader()).descriptor;
      expect(clock).toMatchObject({ name: "RTP timestamps", unit: "1/90000 s", method: "one-way" });
      expect(rate).toBe(25);
      expect(source).toMatchObject({ kind: "video", codec: "h264", width: 160, height: 90 });
      for (const [i, frame] of taken.entries()) {
        const { captureTimeNs, publishTimeNs, fields, timeErrorNs, deviceTime } = frame;
        expect(timeErrorNs).toBeNull();
        expect(frame.missed).toBe(0n);
        // The first picture may come before the session's time is known.
        if (i > 1) expect(deviceTime).toBe((taken[i - 1]?.deviceTime as bigint) + 3600n);
        if (i > 0) expect(captureTimeNs).toBeGreaterThan(taken[i - 1]?.captureTimeNs as bigint);
        expect(fields.arrival_time_ns as bigint).toBeGreaterThanOrEqual(captureTimeNs as bigint);
        expect(publishTimeNs).toBeGreaterThan(fields.arrival_time_ns as bigint);
      }
      const { clock: state } = await rig.until(({ clock }) => (clock?.probes ?? 0) > 25);
      expect(state).toMatchObject({ method: "one-way", errorNs: null, epoch: 0 });
    });
  }

  test("its sound is a stream of its own", async () => {
    const { port } = await serve(film(5));
    await start(`rtsp://127.0.0.1:${port}/sound`);
    const heard = await frames(60, "film.audio");
    expect(heard.every(({ shape }) => shape[0] === 2 && (shape[1] as number) <= 1024)).toBe(true);
    expect(heard.filter(({ shape }) => shape[1] === 1024).length).toBeGreaterThan(55);
    for (const { captureTimeNs, publishTimeNs, fields } of heard) {
      expect(fields.arrival_time_ns as bigint).toBeGreaterThanOrEqual(captureTimeNs as bigint);
      expect(publishTimeNs).toBeGreaterThan(fields.arrival_time_ns as bigint);
    }
    expect((await rig.reader("film.audio")).descriptor).toMatchObject({
      kind: "audio",
      sampleRateHz: 48_000,
      channels: 2,
      clock: { method: "one-way" },
    });
  });

  test("killed and started again: the same ring goes on, its clock is told to have begun anew", async () => {
    const { server, port } = await serve(film(20));
    await start(`rtsp://127.0.0.1:${port}/film`);
    const seen: TakenFrame[] = [];
    let again = false;
    for await (const frame of rig.frames()) {
      seen.push(frame);
      if (seen.length === 20) {
        await kill(server);
        await rig.until(({ state }) => state === "connecting");
        await rig.until(({ words }) => words?.includes("refuses the connection") ?? false);
        await serve(film(20), { port });
        again = true;
      }
      if (frame.clockEpoch === 1 && seen.length > 40) break;
    }
    expect(again).toBe(true);
    expect(new Set(seen.map((frame) => frame.generation)).size).toBe(1);
    expect(seen.every((frame, i) => i === 0 || frame.seq > (seen[i - 1] as TakenFrame).seq)).toBe(
      true,
    );
    expect(rig.status).toMatchObject({ state: "running", restarts: 0, lastError: null });
  });

  test("that ends its stream is asked again", async () => {
    const { port } = await serve(film(1));
    await start(`rtsp://127.0.0.1:${port}/film`);
    for await (const frame of rig.frames()) if (frame.clockEpoch === 2) break;
    const words = rig.statuses.map((status) => status.words).join("\n");
    expect(words).toContain("has ended its stream");
  });

  test("wants a password: it stands in no message, and a wrong one is not tried again", async () => {
    const { port } = await serve(film(5), { user: "bob:secret" });
    await start(`rtsp://bob:wrong@127.0.0.1:${port}/film`);
    const { lastError } = await rig.until(({ state }) => state === "failed");
    expect(lastError?.words).toContain("refuses the user or the password");
    expect(JSON.stringify(rig.statuses)).not.toContain("wrong");
    await rig.close();
    await start(`rtsp://bob:secret@127.0.0.1:${port}/film`);
    await frames(3);
    expect(JSON.stringify((await rig.reader()).descriptor)).not.toContain("secret");
    expect(JSON.stringify(rig.statuses)).not.toContain("secret");
  });

  test("has nothing at this path: it is asked again, in words", async () => {
    const { port } = await serve(film(1));
    await start(`rtsp://127.0.0.1:${port}/nothing`);
    await rig.until(({ words }) => words?.includes("has nothing at this path") ?? false);
    expect(rig.status.state).toBe("connecting");
  });

  test("loses packets on the way: no damaged picture comes out of it", async () => {
    const truth = new Set(md5OfPictures(film(5)));
    const { port } = await serve(film(5));
    const proxy = losingProxy(port, 40);
    proxies.push(proxy.listener);
    await start(`rtsp://127.0.0.1:${proxy.listener.port}/film`);
    // Those after the loss are left out up to the next key frame, so fewer come than were sent.
    let taken = 0;
    for await (const frame of rig.frames()) {
      expect(truth.has(frame.md5)).toBe(true);
      taken += 1;
      if (frame.clockEpoch > 0 || taken === 60) break;
    }
    expect(proxy.lost()).toBeGreaterThan(1);
    await rig.until(({ counters }) => (counters.dropped ?? 0) > 0);
  });
});
