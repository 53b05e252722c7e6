/**
 * Device time to ours as one continuous, rising line of pieces: each new estimate begins a piece where
 * the one before has come to, and slews to its own offset from there. So a device time is mapped to the
 * same instant whichever stream asks, and a correction never makes a step.
 *
 * Pieces are plain data: a process that probes sends them to those that share its device.
 */
import type { Estimate } from "./probe-filter.ts";

export interface Piece {
  /** Begins at this device time and holds until the next piece. */
  fromNs: bigint;
  /** What `fromNs` is mapped to once the slew is over. */
  captureNs: bigint;
  /** ns more per ns of device time. */
  rate: number;
  /** Left over from the piece before: added at `fromNs`, nothing `slewNs` later. */
  lagNs: number;
  slewNs: number;
  /** Bound at `fromNs` without the lag, and how it grows with the distance. */
  errorNs: number;
  growth: number;
  /** When the newest probe that it rests on was asked, our time. */
  probedNs: bigint;
}

/** No piece: the epoch has begun and nothing is known of it yet. */
export interface News {
  epoch: number;
  piece: Piece | null;
}

export interface Timeline {
  /** The news that this estimate is; not added yet. */
  newsOf(estimate: Estimate): News;
  add(news: News): void;
  /** Null before the first piece of an epoch. */
  at(deviceNs: bigint): { captureNs: bigint; errorNs: number } | null;
  readonly epoch: number;
  /** When the newest probe was asked, our time; null while nothing is known. */
  readonly probedNs: bigint | null;
}

/** Half a minute: a frame that took longer to get here is mapped by the oldest. */
const piecesMax = 16;
/** Half of the time between bursts. */
const slewNs = 1e9;
/** Large corrections: at most 5 ms per second, which makes an interval of 40 ms longer by 0.2. */
const slewMax = 0.005;

export function createTimeline(): Timeline {
  let pieces: Piece[] = [];
  let epoch = 0;

  const at: Timeline["at"] = (deviceNs) => {
    const piece = pieces.findLast(({ fromNs }) => fromNs <= deviceNs) ?? pieces[0];
    return piece ? mapBy(piece, deviceNs) : null;
  };

  return {
    at,
    newsOf(estimate) {
      const piece = pieceOf(estimate);
      const reached = estimate.epoch === epoch ? at(piece.fromNs) : null;
      if (reached) {
        piece.lagNs = Number(reached.captureNs - piece.captureNs);
        piece.slewNs = Math.max(slewNs, Math.abs(piece.lagNs) / slewMax);
      }
      return { epoch: estimate.epoch, piece };
    },
    add(news) {
      if (news.epoch !== epoch || !news.piece) pieces = [];
      epoch = news.epoch;
      if (news.piece) pieces = [...pieces, news.piece].slice(-piecesMax);
    },
    get epoch() {
      return epoch;
    },
    get probedNs() {
      return pieces.at(-1)?.probedNs ?? null;
    },
  };
}

/** It begins where device time is now, at the latest: frames mapped before this all lie before it. */
function pieceOf(estimate: Estimate): Piece {
  const { deviceNs, offsetNs, rate, errorNs, growth, askedNs, answeredNs } = estimate;
  const fromNs = answeredNs - offsetNs + BigInt(Math.ceil(errorNs));
  const elapsed = Number(fromNs - deviceNs);
  return {
    fromNs,
    captureNs: fromNs + offsetNs + BigInt(Math.round(rate * elapsed)),
    rate,
    lagNs: 0,
    slewNs,
    errorNs: errorNs + growth * Math.abs(elapsed),
    growth,
    probedNs: askedNs,
  };
}

function mapBy(piece: Piece, deviceNs: bigint): { captureNs: bigint; errorNs: number } {
  const distance = deviceNs - piece.fromNs;
  const elapsed = Number(distance);
  const lag = piece.lagNs * Math.min(1, Math.max(0, 1 - elapsed / piece.slewNs));
  return {
    captureNs: piece.captureNs + distance + BigInt(Math.round(piece.rate * elapsed + lag)),
    errorNs: piece.errorNs + piece.growth * Math.abs(elapsed) + Math.abs(lag),
  };
}
