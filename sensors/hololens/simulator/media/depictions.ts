/** The simulated scene as each camera's pictures travel: made pixel by pixel, on a thread of its own. */
import { ahatSide } from "../../wire/ahat-payload.ts";
import { packAhatAbNv12, packAhatNv12, withoutInvalidDepth } from "../../wire/ahat-picture.ts";
import { depthProfiles } from "../../wire/codes.ts";
import { encodeLongthrow, longthrowHeight, longthrowWidth } from "../../wire/longthrow-payload.ts";
import { vlcHeight, vlcWidth } from "../../wire/vlc-payload.ts";
import { encodeZdepth } from "../../wire/zdepth.ts";
import { type CameraModel, cameraModels, pvIntrinsics } from "../world/camera-models.ts";
import { cameraPoseAt } from "../world/motion.ts";
import { renderDepth } from "../world/rendering.ts";
import { type GreyStream, greyPicture } from "./grey-picture.ts";

/** `picture`: planar 4:2:0 for an encoder; else the pixels themselves. */
export type Depiction =
  | { of: "grey"; stream: GreyStream; as: "picture" | "pixels" }
  | { of: "ahat"; depthProfile: number; as: "picture" | "pixels" }
  | { of: "longthrow"; pngFilter: number }
  | { of: "usb-depth"; width: number; height: number; depthProfile: number };

export interface PictureMoment {
  /** From 0; images that are numbered carry it. */
  index: number;
  seconds: number;
}

/** In memory that nobody else holds. AHAT: depth (empty where it is inside the picture), then brightness. */
export function depict(what: Depiction, moment: PictureMoment): Uint8Array<ArrayBuffer>[] {
  switch (what.of) {
    case "grey":
      return [greyImage(what, moment)];
    case "ahat":
      return ahatParts(what, moment);
    case "longthrow":
      return [longthrowPng(what.pngFilter, moment)];
    case "usb-depth":
      return [usbDepth(what, moment)];
  }
}

function greyImage(
  { stream, as }: Extract<Depiction, { of: "grey" }>,
  { seconds }: PictureMoment,
): Uint8Array<ArrayBuffer> {
  const pixels = vlcWidth * vlcHeight;
  const picture = new Uint8Array(as === "picture" ? pixels + pixels / 2 : pixels);
  greyPicture(stream, seconds, picture);
  return picture.fill(128, pixels);
}

function ahatParts(
  { depthProfile, as }: Extract<Depiction, { of: "ahat" }>,
  { index, seconds }: PictureMoment,
): Uint8Array<ArrayBuffer>[] {
  const size = { width: ahatSide, height: ahatSide };
  const rendered = new Uint16Array(ahatSide ** 2);
  const ab = new Uint16Array(ahatSide ** 2);
  renderDepth(cameraModels["depth-ahat"], cameraPoseAt("depth-ahat", seconds), rendered, ab);
  const depth = withoutInvalidDepth(rendered);
  const inside = depthProfile === depthProfiles.same;
  const image = as === "pixels" ? bytesOf(ab) : null;
  if (inside) {
    if (image) return [bytesOf(depth), image];
    return [new Uint8Array(0), planar(packAhatNv12({ depth, ab }, size))];
  }
  const zdepth = encodeZdepth(depth, { ...size, frame: index + 1 });
  return [owned(zdepth), image ?? planar(packAhatAbNv12(ab))];
}

function longthrowPng(pngFilter: number, { seconds }: PictureMoment): Uint8Array<ArrayBuffer> {
  const [width, height] = [longthrowWidth, longthrowHeight];
  const depth = new Uint16Array(width * height);
  const ab = new Uint16Array(width * height);
  const pose = cameraPoseAt("depth-longthrow", seconds);
  renderDepth(cameraModels["depth-longthrow"], pose, depth, ab);
  return owned(encodeLongthrow({ width, height, depth, ab }, pngFilter));
}

function usbDepth(
  { width, height, depthProfile }: Extract<Depiction, { of: "usb-depth" }>,
  { index, seconds }: PictureMoment,
): Uint8Array<ArrayBuffer> {
  const depth = new Uint16Array(width * height);
  renderDepth(usbCamera(width, height), cameraPoseAt("pv", seconds), depth);
  if (depthProfile === depthProfiles.same) return bytesOf(depth);
  return owned(encodeZdepth(depth, { width, height, frame: index + 1 }));
}

const usbCameras = new Map<string, CameraModel>();

/** Where the colour camera is, and with its field of view. */
function usbCamera(width: number, height: number): CameraModel {
  const key = `${width}x${height}`;
  let model = usbCameras.get(key);
  if (!model) {
    const { focalLength, principalPoint } = pvIntrinsics({ width, height });
    const [fx, fy] = focalLength;
    const [cx, cy] = principalPoint;
    const lens = { ...cameraModels.pv.lens, fx: -fx, fy, cx, cy };
    model = { ...cameraModels.pv, width, height, lens, rangeMetres: 8 };
    usbCameras.set(key, model);
  }
  return model;
}

/** NV12 to I420: not every encoder takes its chroma by turns. */
function planar(nv12: Uint8Array): Uint8Array<ArrayBuffer> {
  const pixels = (nv12.length / 3) * 2;
  const quarter = pixels / 4;
  const i420 = new Uint8Array(nv12.length);
  i420.set(nv12.subarray(0, pixels));
  for (let k = 0; k < quarter; k++) {
    i420[pixels + k] = nv12[pixels + 2 * k] as number;
    i420[pixels + quarter + k] = nv12[pixels + 2 * k + 1] as number;
  }
  return i420;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Not a part of something larger, which would be given away with it. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
