/** FFmpeg's codes as sentences: what is wrong, where, and whether trying again can help. */
import { constants as os } from "node:os";
import { redact } from "../../src/log/redact.ts";
import { SensorError } from "../sensor.ts";
import type { Address } from "./address.ts";
import type { Ffmpeg } from "./ffmpeg.ts";

export interface Failure {
  address: Address;
  /** Negative, as FFmpeg returns it: an errno or a code of its own. */
  code: number;
  /** The last lines of FFmpeg's log. */
  lines: string[];
  /** What was not possible: "opened", "read". */
  what: string;
}

interface Cause {
  words: string;
  retry: boolean;
}

const never = (words: string): Cause => ({ words, retry: false });
const perhaps = (words: string): Cause => ({ words, retry: true });

/** A network and a device come back by themselves; a file is what it is. */
export function failure(ffmpeg: Ffmpeg, { address, code, lines, what }: Failure): SensorError {
  const causes = { file: fileCause, rtsp: networkCause, device: deviceCause }[address.type];
  const cause = causes(address.words, code, ffmpeg.constants, lines.join("\n")) ?? {
    words: `${address.words} cannot be ${what}: ${ffmpeg.FFmpegError.strerror(code)}`,
    retry: address.type !== "file",
  };
  const detail = lines.at(-1);
  const said = detail ? ` (FFmpeg: ${redact(detail)})` : "";
  return new SensorError(`${cause.words}${said}`, { retry: cause.retry });
}

type Causes = (
  where: string,
  code: number,
  own: Ffmpeg["constants"],
  said: string,
) => Cause | undefined;

const fileCause: Causes = (where, code, own, said) => {
  switch (code) {
    case -os.errno.ENOENT:
      return never(`${where} does not exist`);
    case -os.errno.EISDIR:
      return never(`${where} is a folder, not a file`);
    case -os.errno.EACCES:
      return never(`${where} may not be read by this user`);
    case own.AVERROR_INVALIDDATA:
      if (/moov atom not found/.test(said)) {
        return never(`${where} is cut, or still being written: the index at its end is missing`);
      }
      return never(`${where} is no video that FFmpeg knows, or its beginning or index is damaged`);
  }
};

const deviceCause: Causes = (where, code) => {
  switch (code) {
    case -os.errno.ENOENT:
    case -os.errno.ENODEV:
    case -os.errno.ENXIO:
      return perhaps(`${where} is not there: is the camera plugged in? (\`ls /dev/video*\`)`);
    case -os.errno.EACCES:
    case -os.errno.EPERM:
      return never(`${where} may not be used by this user: add the user to the group \`video\``);
    case -os.errno.EBUSY:
      return perhaps(`${where} is used by another program`);
    case -os.errno.ENOTTY:
      return never(`${where} is no camera: it does not speak V4L2`);
  }
};

const networkCause: Causes = (where, code, own) => {
  switch (code) {
    case -os.errno.ECONNREFUSED:
      return perhaps(`${where} refuses the connection: is the camera on, is the port right?`);
    case -os.errno.EHOSTUNREACH:
    case -os.errno.ENETUNREACH:
      return perhaps(`${where} cannot be reached: is it on a network of this machine?`);
    case -os.errno.ETIMEDOUT:
      return perhaps(`${where} does not answer`);
    case -os.errno.ECONNRESET:
    case -os.errno.EPIPE:
      return perhaps(`${where} closed the connection`);
    case own.AVERROR_HTTP_UNAUTHORIZED:
    case own.AVERROR_HTTP_FORBIDDEN:
      return never(`${where} refuses the user or the password (rtsp://USER:PASSWORD@HOST/PATH)`);
    case own.AVERROR_HTTP_NOT_FOUND:
      return perhaps(`${where}: the server runs, but has nothing at this path`);
  }
};
