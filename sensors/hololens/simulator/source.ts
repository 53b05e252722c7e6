/** What the simulator sends on a stream: one source for each connection that asked for one. */
import type { Configurations } from "../wire/configuration.ts";
import type { StreamFamily, StreamName } from "../wire/ports.ts";

/** The instant a packet shows. */
export interface Moment {
  /**
   * Of the frame, from 0, counted from the beginning of the connection. It grows by more than one where the
   * connection or the encoder was too slow for frames between: they were never asked for.
   */
  index: number;
  /** Device time, 100 ns. */
  ticks: bigint;
  /**
   * Seconds in the simulated world: `ticks` in seconds, and a whole multiple of the source's period. Its
   * motion repeats (see world/motion.ts).
   */
  seconds: number;
}

export interface Source {
  /** Between two packets, seconds; divisor included. */
  periodSeconds: number;
  /**
   * The payload of a packet with its footer; null: nothing this time. A video's first one stands alone. A promise
   * where it must be encoded first. The server adds header and pose.
   */
  payload(moment: Moment): Uint8Array | null | Promise<Uint8Array | null>;
  close(): void;
}

/** Settings of remote configuration that are seen in what is sent. */
export interface CameraState {
  focus: number;
  /** 100 ns. */
  exposureTime: bigint;
  isoSpeed: number;
  /** Kelvin. */
  whiteBalance: number;
}

export interface SourceSetup<F extends StreamFamily = StreamFamily> {
  stream: StreamName;
  configuration: Configurations[F];
  /** The film that personal video shows. */
  videoFile: string;
  /** Read for each frame: it may change while streaming. */
  camera: CameraState;
}

export type OpenSource<F extends StreamFamily> = (setup: SourceSetup<F>) => Promise<Source>;
