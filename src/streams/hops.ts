/** Where a frame's time went: from the device to this machine, and from there into the ring. */
import { unknownTime } from "../ring/layout.ts";
import type { SegmentFrame } from "../ring/segment.ts";

/** Null where one of both ends is not known. */
export interface Hops {
  /** From the capture to its last byte in the sensor's process. Its error is that of the capture time. */
  captureToArrivalNs: bigint | null;
  arrivalToPublishNs: bigint | null;
  /** Both together, known also of sensors that say nothing of arrivals. */
  captureToPublishNs: bigint | null;
  /** Bound of the error of the capture time. */
  captureErrorNs: bigint | null;
}

/** CLOCK_MONOTONIC when the last byte was here: the field `arrival_time_ns`. Null where the sensor does not say. */
export function arrivalTimeNs({ fields }: Pick<SegmentFrame, "fields">): bigint | null {
  const value = fields.arrival_time_ns;
  return typeof value === "bigint" && value !== unknownTime ? value : null;
}

export function hopsOf(frame: Pick<SegmentFrame, "fields" | "header">): Hops {
  const { captureTimeNs, timeErrorNs, publishTimeNs } = frame.header;
  const arrivalNs = arrivalTimeNs(frame);
  return {
    captureToArrivalNs: between(captureTimeNs, arrivalNs),
    arrivalToPublishNs: between(arrivalNs, publishTimeNs),
    captureToPublishNs: between(captureTimeNs, publishTimeNs),
    captureErrorNs: captureTimeNs === null ? null : timeErrorNs,
  };
}

function between(fromNs: bigint | null, toNs: bigint | null): bigint | null {
  return fromNs === null || toNs === null ? null : toNs - fromNs;
}

/** 64-bit integers as JSON has them. */
export function hopsText(hops: Hops): Record<keyof Hops, string | null> {
  const text = Object.entries(hops).map(([name, ns]) => [name, ns === null ? null : String(ns)]);
  return Object.fromEntries(text);
}
