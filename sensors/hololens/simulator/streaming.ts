/**
 * Packets at the pace of the device. Its frames lie on a grid of its clock, the same for all connections,
 * so that what repeats in the simulated world always falls on the same frames. A frame that comes too late
 * because network or encoder were slow is left out: the next one is the newest.
 */
import type { Configurations } from "../wire/configuration.ts";
import { encodePacket, type Packet } from "../wire/packet.ts";
import { hasPose, type Mode, type StreamFamily, type StreamName } from "../wire/ports.ts";
import { notLocated } from "../wire/pose.ts";
import { clockShiftOf, shiftedTimestamp, vlcFooter } from "../wire/vlc-payload.ts";
import type { Connection } from "./connection.ts";
import type { Device } from "./device.ts";
import { damaged, isKeyFrame, withSize } from "./packet-faults.ts";
import type { Moment, Source } from "./source.ts";
import { cameraPoseAt, rigPoseAt } from "./world/motion.ts";

export interface Streaming<F extends StreamFamily = StreamFamily> {
  device: Device;
  stream: StreamName;
  family: F;
  configuration: Configurations[F];
  source: Source;
  connection: Connection;
  tally: Tally;
}

/** What became of the frames of a connection; grows while it lasts. */
export interface Tally {
  /** That the device's clock had. */
  frames: number;
  /** Frames that were sent; the others were left out. */
  sent: number;
}

const ticksPerSecond = 1e7;
const ticksPerMs = 1e4;
/** What this process alone was late, a device would not have been: it is made up for, up to this. */
const patienceTicks = 0.25 * ticksPerSecond;

/** Until the client is gone (ClientGone), or a fault ends the connection. */
export async function streamPackets(streaming: Streaming): Promise<void> {
  const { device, source, connection, tally } = streaming;
  const { clock, faults } = device;
  const periodTicks = source.periodSeconds * ticksPerSecond;
  const frameAfter = (ticks: number) => Math.ceil(ticks / periodTicks);
  const now = () => Number(clock.ticks());

  const first = frameAfter(now());
  for (let frame = first; !connection.isClosed; ) {
    const lagMs = lagOf(streaming);
    const dueTicks = Math.round(frame * periodTicks);
    await sleepUntil(streaming, BigInt(dueTicks), lagMs);
    const held = isSilent(streaming);
    await faults.until(() => connection.isClosed || !isSilent(streaming));
    const moment = {
      index: frame - first,
      ticks: BigInt(dueTicks),
      seconds: frame * source.periodSeconds,
    };
    const begunTicks = now();
    const payload = held ? null : await source.payload(moment);
    const slow = held || now() - begunTicks > periodTicks;
    const waited = payload !== null && (await send(streaming, moment, payload));
    const lateTicks = now() - lagMs * ticksPerMs;
    const left = slow || waited || lateTicks - dueTicks > patienceTicks;
    frame = left ? Math.max(frame + 1, frameAfter(lateTicks)) : frame + 1;
    tally.frames = frame - first;
  }
}

function lagOf({ device: { faults }, stream }: Streaming): number {
  const delay = Number(faults.find("delay", stream) ?? 0);
  return delay + Number(faults.find("jitter", stream) ?? 0) * Math.random();
}

function isSilent({ device: { faults }, stream }: Streaming): boolean {
  return faults.find("stall", stream) !== null || faults.find("sleep", stream) !== null;
}

async function sleepUntil({ device, connection }: Streaming, ticks: bigint, lagMs: number) {
  for (;;) {
    const ms = device.clock.msUntil(ticks) + lagMs;
    if (ms <= 0 || connection.isClosed) return;
    await connection.sleep(Math.ceil(ms));
  }
}

/** @returns whether it had to wait for the network */
async function send(streaming: Streaming, moment: Moment, payload: Uint8Array): Promise<boolean> {
  const { device, stream, connection } = streaming;
  const { faults } = device;
  if (isKeyFrame(streaming, payload) && faults.take("drop-key-frame", stream) !== null)
    return false;
  const left = Number(faults.take("lose", stream) ?? 0);
  if (left > 1) faults.set({ port: stream, kind: "lose", value: left - 1 });
  if (left > 0) return false;

  const isDamaged = faults.take("damage", stream) !== null;
  const packet = encodePacket({
    timestamp: timestampOf(streaming, moment, payload),
    payload: isDamaged ? damaged(payload) : payload,
    pose: poseOf(streaming, moment),
  });
  if (faults.take("reset", stream) !== null) connection.reset();
  if (faults.take("cut", stream) !== null) {
    await connection.write(packet.subarray(0, packet.byteLength >> 1));
    connection.end();
    return false;
  }
  const size = faults.take("wrong-size", stream);
  const waited = await connection.write(size === null ? packet : withSize(packet, Number(size)));
  streaming.tally.sent += 1;
  return waited;
}

/** Of the grey cameras the client may shift it. */
function timestampOf(streaming: Streaming, { ticks }: Moment, payload: Uint8Array): bigint {
  const { family, configuration, stream } = streaming;
  if (family !== "vlc" || payload.byteLength < vlcFooter.bytes) return ticks;
  const { options } = configuration as Configurations["vlc"];
  const footer = vlcFooter.parse(payload.subarray(-vlcFooter.bytes), stream);
  return shiftedTimestamp({ ticks, exposureNs: footer.exposure }, clockShiftOf(options));
}

function poseOf(streaming: Streaming, { seconds }: Moment): Packet["pose"] {
  const { device, family, configuration, stream } = streaming;
  const mode: Mode = "mode" in configuration ? (configuration.mode as Mode) : 0;
  if (!hasPose(family, mode)) return null;
  if (device.faults.find("not-located", stream) !== null) return notLocated;
  return family === "pv" ? cameraPoseAt("pv", seconds) : rigPoseAt(seconds);
}
