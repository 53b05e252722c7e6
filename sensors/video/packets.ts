/** One demuxer, several tracks that are played each at its own time: packets wait here for their track. */
import type { Ffmpeg, Packet } from "./ffmpeg.ts";
import type { Source } from "./source.ts";

export interface PacketQueues {
  /** The next packet of a track (free it), null at the end. */
  next(track: number): Promise<Packet | null>;
  close(): void;
}

/** A film whose tracks lie far apart is not read into memory whole. */
const waitingBytesMax = 64 * 1024 * 1024;

/** `failed` is told of an error that ended the reading. */
export function queuePackets(
  ffmpeg: Ffmpeg,
  source: Source,
  tracks: number[],
  failed: (code: number) => void,
): PacketQueues {
  const { constants } = ffmpeg;
  const queues = new Map(tracks.map((track) => [track, [] as Packet[]]));
  let waitingBytes = 0;
  let ended = false;
  let reading: Promise<void> | null = null;
  let taken = Promise.withResolvers<void>();

  const readOne = async () => {
    const packet = new ffmpeg.Packet();
    packet.alloc();
    const code = await source.read(packet);
    const queue = code >= 0 ? queues.get(packet.streamIndex) : undefined;
    if (queue) {
      queue.push(packet);
      waitingBytes += packet.size;
      return;
    }
    packet.free();
    if (code >= 0) return;
    ended = true;
    if (code !== constants.AVERROR_EOF) failed(code);
  };

  return {
    async next(track) {
      const queue = queues.get(track) as Packet[];
      while (queue.length === 0 && !ended) {
        if (waitingBytes > waitingBytesMax) {
          await taken.promise;
          continue;
        }
        reading ??= readOne().finally(() => {
          reading = null;
        });
        await reading;
      }
      const packet = queue.shift() ?? null;
      waitingBytes -= packet?.size ?? 0;
      taken.resolve();
      taken = Promise.withResolvers();
      return packet;
    },
    close() {
      ended = true;
      taken.resolve();
      for (const queue of queues.values()) for (const packet of queue.splice(0)) packet.free();
    },
  };
}
