/**
 * A round of sound as AAC, one ADTS frame of 1024 samples each packet. It is coded from within a longer
 * stretch: the last frame goes over into the first as any into the next.
 */
import type { Ffmpeg } from "../../../video/ffmpeg.ts";
import { encodeAdts, samplesPerFrame } from "../../wire/adts.ts";
import { type CodedUnits, unitStore } from "./coded-units.ts";
import { loopFrames, soundOf, soundRateHz, type Voice } from "./sound.ts";

export const aacPackets = loopFrames / samplesPerFrame;
const channels = 2;

/** Each frame is coded with the one before it, and the first ones from silence. */
const runUp = 2;

export interface AacLoop {
  voice: Voice;
  /** Of the voice, so that it is coded once. */
  name: string;
  /** Bit/s. */
  bitrate: number;
}

/** @returns all packets of a round; the second time from memory, as long as they are kept */
export async function aacLoop(ffmpeg: Ffmpeg, loop: AacLoop): Promise<Uint8Array[]> {
  const units = unitStore.of(JSON.stringify(["aac", loop.name, loop.bitrate]));
  const packets = kept(units) ?? (await encode(ffmpeg, loop));
  units.keep(0, packets);
  return packets;
}

function kept(units: CodedUnits): Uint8Array[] | null {
  if (!units.get(0)) return null;
  return Array.from({ length: aacPackets }, (_, i) => units.get(i) as Uint8Array);
}

/** 0.5 ms each packet, on a thread of FFmpeg's. */
async function encode(ffmpeg: Ffmpeg, { voice, bitrate }: AacLoop): Promise<Uint8Array[]> {
  quiet(ffmpeg);
  const { context, frame, packet } = openEncoder(ffmpeg, bitrate);
  const packets: Uint8Array[] = [];
  try {
    for (let block = 0; packets.length < runUp + aacPackets; block++) {
      // The encoder still holds on to the one before.
      check(ffmpeg, frame.makeWritable());
      fill(frame.data ?? [], voice, block * samplesPerFrame);
      frame.pts = BigInt(block * samplesPerFrame);
      check(ffmpeg, await context.sendFrame(frame));
      while (context.receivePacketSync(packet) >= 0) {
        // What is before 0 is silence that the encoder begins with.
        if (packet.pts >= 0n) packets.push(new Uint8Array(packet.data ?? []));
        packet.unref();
      }
    }
  } finally {
    packet.free();
    frame.free();
    context.freeContext();
  }
  const round = packets.slice(runUp, runUp + aacPackets);
  const inOrder = [...round.slice(aacPackets - runUp), ...round.slice(0, aacPackets - runUp)];
  return inOrder.map((data) => encodeAdts({ sampleRateHz: soundRateHz, channels, data }));
}

/** What this encoder says of itself at the end of each round is for nobody, unless somebody has asked. */
function quiet({ Log, constants }: Ffmpeg): void {
  if (Log.getLevel() === constants.AV_LOG_INFO) Log.setLevel(constants.AV_LOG_ERROR);
}

function openEncoder(ffmpeg: Ffmpeg, bitrate: number) {
  const { constants } = ffmpeg;
  const encoder = ffmpeg.Codec.findEncoderByName(constants.FF_ENCODER_AAC);
  if (!encoder) throw new Error("this build of node-av has no AAC encoder");
  const context = new ffmpeg.CodecContext();
  context.allocContext3(encoder);
  const stereo = ffmpeg.avChannelLayoutDefault(channels);
  context.sampleRate = soundRateHz;
  context.channelLayout = stereo;
  context.sampleFormat = constants.AV_SAMPLE_FMT_FLTP;
  context.bitRate = BigInt(bitrate);
  context.timeBase = new ffmpeg.Rational(1, soundRateHz);
  check(ffmpeg, context.open2Sync(encoder));
  const frame = new ffmpeg.Frame();
  frame.alloc();
  frame.nbSamples = samplesPerFrame;
  frame.format = constants.AV_SAMPLE_FMT_FLTP;
  frame.sampleRate = soundRateHz;
  frame.channelLayout = stereo;
  check(ffmpeg, frame.getBuffer());
  const packet = new ffmpeg.Packet();
  packet.alloc();
  return { context, packet, frame };
}

function fill(planes: Buffer[], voice: Voice, firstFrame: number): void {
  const samples = soundOf(voice, { firstFrame, frames: samplesPerFrame, channels });
  const bytes = samples.byteLength / channels;
  for (const [channel, plane] of planes.entries()) {
    plane.set(new Uint8Array(samples.buffer, channel * bytes, bytes));
  }
}

function check({ FFmpegError }: Ffmpeg, code: number): void {
  if (code < 0) throw new Error(`AAC: ${FFmpegError.strerror(code)}`);
}
