/** Depth and active brightness of one packet: two rings whose frames carry the same times and fields. */
import { type FieldSpec, frameBytes, type StreamSpec } from "../../../src/ring/descriptor.ts";
import type { PlannedStream } from "../../sensor.ts";
import { layoutOf } from "../../video/pixel-formats.ts";
import type { Size } from "../decoding/pixels.ts";
import { createFrameMetas, type FrameMetas, type Received } from "./frame-meta.ts";
import type { ReceiverSetup } from "./receiver.ts";

export interface PairSlots {
  depth: Uint8Array;
  ab: Uint8Array;
}

export interface DepthPair extends Pick<FrameMetas, "begin" | "inOrder"> {
  /**
   * Takes a slot of each ring, has both filled and publishes them. Where `fill` throws, neither is.
   * @param size where it is not the camera's own
   */
  publish(
    packet: Received,
    values: Record<string, bigint>,
    fill: (slots: PairSlots) => void,
    size?: Size,
  ): void;
}

export interface PairStream {
  size: Size;
  rate: number;
  fields: FieldSpec[];
  /** Beside millimetres, for the depth's descriptor. */
  depth?: Partial<StreamSpec>;
}

function specsOf({ size, rate, fields, depth }: PairStream): { depth: StreamSpec; ab: StreamSpec } {
  const common = { ...layoutOf("gray16le", size), pixelFormat: "gray16le", rate, fields };
  return {
    // `scale`: metres for each unit. 0 is no depth.
    depth: { kind: "depth", ...common, units: "mm", scale: 0.001, ...depth } as StreamSpec,
    ab: { kind: "video", ...common, units: "active brightness" },
  };
}

export function planPair(ring: string, stream: PairStream): PlannedStream[] {
  const { depth, ab } = specsOf(stream);
  return [
    { name: ring, spec: depth },
    { name: `${ring}.ab`, spec: ab },
  ];
}

export function createDepthPair(setup: ReceiverSetup, stream: PairStream): DepthPair {
  const { context, ring, described } = setup;
  const specs = specsOf(stream);
  const metas = createFrameMetas(setup, stream.fields);
  const make = () => ({
    depth: context.stream(ring, { ...specs.depth, ...described }),
    ab: context.stream(`${ring}.ab`, { ...specs.ab, ...described }),
  });
  let writers: ReturnType<typeof make> | null = null;

  return {
    begin: metas.begin,
    inOrder: metas.inOrder,
    publish(packet, values, fill, size = stream.size) {
      writers ??= make();
      const { depth, ab } = writers;
      try {
        fill({ depth: depth.acquire(), ab: ab.acquire() });
      } catch (error) {
        depth.abort();
        ab.abort();
        throw error;
      }
      const { width, height } = size;
      const own = width !== stream.size.width || height !== stream.size.height;
      const meta = { ...metas.of(packet, values), ...(own && { shape: [height, width] }) };
      const bytes = frameBytes({ dtype: "<u2", shape: [height, width] });
      depth.commit(bytes, meta);
      ab.commit(bytes, meta);
    },
  };
}
