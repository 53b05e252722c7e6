/** Depictions as they are sent: as they are, or through a video encoder. */
import { loadFfmpeg } from "../../../video/ffmpeg.ts";
import type { Depiction, PictureMoment } from "./depictions.ts";
import { openPictureEncoder, type PictureEncoding } from "./picture-encoder.ts";
import type { PictureCoder } from "./rendered-loop.ts";
import { depictElsewhere } from "./rendering-thread.ts";

type Parts = Uint8Array[];

/** @param assemble makes one unit of what was depicted */
export function plainCoder(what: Depiction, assemble: (parts: Parts) => Uint8Array): PictureCoder {
  return {
    encode: async (moment) => assemble(await depictElsewhere(what, moment)),
    close() {},
  };
}

/** The last part is a picture, in planar 4:2:0, and is coded; `assemble` gets its access unit in that place. */
export function videoCoder(
  what: Depiction,
  encoding: PictureEncoding,
  assemble: (parts: Parts) => Uint8Array,
): PictureCoder {
  const opening = open(encoding);
  // It is waited for below, perhaps never where the connection ends at once.
  opening.catch(() => {});
  let closed = false;

  const encode = async (moment: PictureMoment, keyFrame: boolean) => {
    const [parts, { encoder, frame }] = await Promise.all([depictElsewhere(what, moment), opening]);
    if (closed) throw new Error("the stream has ended");
    const picture = parts.at(-1) as Uint8Array;
    frame.fromBuffer(Buffer.from(picture.buffer));
    const unit = await encoder.encode(frame, keyFrame);
    return assemble([...parts.slice(0, -1), unit]);
  };

  let running: Promise<unknown> = Promise.resolve();
  return {
    encode(moment, keyFrame) {
      const unit = encode(moment, keyFrame);
      running = unit.catch(() => {});
      return unit;
    },
    async close() {
      closed = true;
      await running;
      const opened = await opening.catch(() => null);
      opened?.encoder.close();
      opened?.frame.free();
    },
  };
}

async function open(encoding: PictureEncoding) {
  const ffmpeg = await loadFfmpeg();
  const encoder = await openPictureEncoder(ffmpeg, encoding);
  // Owns no memory: it points into the picture of the moment.
  const frame = new ffmpeg.Frame();
  frame.alloc();
  frame.width = encoding.width;
  frame.height = encoding.height;
  frame.format = ffmpeg.constants.AV_PIX_FMT_YUV420P;
  return { encoder, frame };
}
