/** An external depth camera: u16 pixels or Zdepth, then the size. The unit is the camera's. */
import { depthProfiles } from "./codes.ts";
import { ProtocolError } from "./protocol-error.ts";
import { joined, record, u16, type Values } from "./record.ts";
import { checkSides } from "./video-payload.ts";

export const extendedDepthFooter = record({ width: u16, height: u16 });
export type ExtendedDepthFooter = Values<typeof extendedDepthFooter>;

export function splitExtendedDepth(
  payload: Uint8Array,
  { depthProfile, where }: { depthProfile: number; where: string },
): { depth: Uint8Array } & ExtendedDepthFooter {
  const depthBytes = payload.byteLength - extendedDepthFooter.bytes;
  if (depthBytes <= 0) {
    const allowed = `more than ${extendedDepthFooter.bytes}`;
    throw new ProtocolError({ where, what: `${payload.byteLength} bytes`, allowed });
  }
  const footer = extendedDepthFooter.parse(payload.subarray(depthBytes), where);
  checkSides(footer, where);
  const pixelBytes = 2 * footer.width * footer.height;
  if (depthProfile === depthProfiles.same && depthBytes !== pixelBytes) {
    const what = `${depthBytes} bytes for ${footer.width}x${footer.height}`;
    throw new ProtocolError({ where, what, allowed: `${pixelBytes}` });
  }
  return { depth: payload.subarray(0, depthBytes), ...footer };
}

export function encodeExtendedDepthPayload(depth: Uint8Array, footer: ExtendedDepthFooter) {
  return joined(depth, extendedDepthFooter.encode(footer));
}
