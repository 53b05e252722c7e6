/** What all streams of pictures do: split the payload, decode what is coded, hand each picture on with what came with it. */
import type { Ffmpeg, Frame } from "../../video/ffmpeg.ts";
import { createUnitDecoder } from "../decoding/unit-decoder.ts";
import { inspectAccessUnit } from "../wire/access-unit.ts";
import { videoCodec } from "../wire/codes.ts";
import type { Received } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup } from "./receiver.ts";

/** A packet whose picture is to be published. */
export interface Taken<Parts> extends Received {
  parts: Parts;
  /** False: it is late, and only decoded for those that refer to it. */
  publish: boolean;
}

export interface CodedStream<Parts> {
  /** Of the protocol. */
  profile: number;
  /** A decoder takes no more memory than this needs. */
  largest: { width: number; height: number };
  /** Null: nothing in it. */
  split(payload: Uint8Array): Parts | null;
  codedOf(parts: Parts): Uint8Array;
  decoded(frame: Frame, taken: Taken<Parts>, ffmpeg: Ffmpeg): void;
  /** Profile raw: instead of the above. */
  raw(taken: Taken<Parts>): void;
  begin(): void;
  close(): void;
}

type Setup = Pick<ReceiverSetup, "context" | "stream">;

/** @param ffmpeg may be missing where the profile is raw */
export function createCodedReceiver<Parts>(
  ffmpeg: Ffmpeg | null,
  setup: Setup,
  stream: CodedStream<Parts>,
): Receiver {
  const codec = videoCodec(stream.profile);
  const take = (handle: (taken: Taken<Parts>) => void): Receiver["take"] => {
    return ({ payload, timestamp, arrivalNs, pose }, behind) => {
      const parts = stream.split(payload);
      if (parts === null) return count(setup, "empty");
      handle({ timestamp, arrivalNs, pose, parts, publish: behind === 0 });
    };
  };
  if (codec === "raw" || ffmpeg === null) {
    const { begin, close } = stream;
    return { leaveOut: "any", begin, take: take(stream.raw), close };
  }
  const decoder = createUnitDecoder<Taken<Parts>>(ffmpeg, {
    codec,
    where: setup.stream,
    largest: stream.largest,
    picture: (frame, taken) => stream.decoded(frame, taken, ffmpeg),
    // Who asked for it not to be published has counted it.
    dropped: ({ publish }) => publish && count(setup, "dropped"),
  });
  return {
    leaveOut: "to-key-frame",
    standsAlone(payload) {
      const parts = stream.split(payload);
      return parts !== null && inspectAccessUnit(codec, stream.codedOf(parts)).keyFrame;
    },
    begin() {
      decoder.begin();
      stream.begin();
    },
    take: take((taken) => decoder.decode(stream.codedOf(taken.parts), taken)),
    close() {
      decoder.close();
      stream.close();
    },
  };
}

function count({ context }: Setup, what: string): void {
  context.counters[what] = (context.counters[what] ?? 0) + 1;
}
