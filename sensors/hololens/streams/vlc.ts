/**
 * The four grey cameras. Copies of a frame: the coded bytes once, into the decoder's memory; then Y from
 * where it was decoded to the slot (raw pictures: from where they were received), the ends of its rows
 * left out. Its values stay as they are, whatever range the stream states: they are data.
 */
import { type FieldSpec, frameBytes, type StreamSpec } from "../../../src/ring/descriptor.ts";
import type { RingWriter } from "../../../src/ring.ts";
import { layoutOf } from "../../video/pixel-formats.ts";
import type { HololensConfig } from "../config.ts";
import { openLibrary } from "../decoding/library.ts";
import { copyRows, type Plane, tripleRows } from "../decoding/pixels.ts";
import { planesOf } from "../decoding/planes.ts";
import { videoCodec, videoProfiles } from "../wire/codes.ts";
import { clockOptions, configurationOf, withGopSize } from "../wire/configuration-defaults.ts";
import { splitVlc, upright, vlcHeight, vlcWidth } from "../wire/vlc-payload.ts";
import { createCodedReceiver, type Taken } from "./coded-receiver.ts";
import { createFrameMetas, fieldsOf } from "./frame-meta.ts";
import type { Receiver, ReceiverSetup, StreamReceiving } from "./receiver.ts";

const size = { width: vlcWidth, height: vlcHeight };
const framerate = 30;

const fields: Omit<FieldSpec, "offset">[] = [
  { name: "sensor_ticks", dtype: "<u8", unit: "ns" },
  { name: "exposure", dtype: "<u8", unit: "ns" },
  { name: "gain", dtype: "<u4" },
];

function specOf({ vlc, pose }: HololensConfig): StreamSpec {
  return {
    kind: "video",
    ...layoutOf(vlc.pixelFormat, size),
    pixelFormat: vlc.pixelFormat,
    rate: framerate / vlc.divisor,
    fields: fieldsOf({ pose }, fields),
  };
}

type VlcParts = NonNullable<ReturnType<typeof splitVlc>>;

export const vlcReceiving: StreamReceiving<"vlc"> = {
  configuration: ({ vlc, pose }) => {
    const { divisor, bitrate } = vlc;
    const profile = videoProfiles[vlc.profile];
    // The device would take 12.5 ms from each stamp; here `lagMs` says what a stamp is late by.
    const options = withGopSize(clockOptions({ offset: 0n, factor: 0 }), { framerate, profile });
    return configurationOf("vlc", { mode: pose ? 1 : 0, divisor, bitrate, profile, options });
  },
  rings: (config, ring) => [{ name: ring, spec: specOf(config) }],
  open,
};

async function open(setup: ReceiverSetup): Promise<Receiver> {
  const { config, context, ring, stream, described } = setup;
  const profile = videoProfiles[config.vlc.profile];
  const spec = specOf(config);
  const metas = createFrameMetas(setup, spec.fields ?? []);
  const fill = config.vlc.pixelFormat === "gray" ? copyRows : tripleRows;
  const bytes = frameBytes(spec);
  const library = videoCodec(profile) === "raw" ? null : await openLibrary(context);
  let writer: RingWriter | null = null;

  const publish = (y: Plane, taken: Taken<VlcParts>) => {
    if (!taken.publish || !metas.inOrder(taken)) return;
    const quarterTurns = upright[stream as keyof typeof upright];
    const source = { ...described.source, quarterTurns };
    writer ??= context.stream(ring, { ...spec, ...described, source });
    fill(y, size, writer.acquire());
    const { sensorTicks, exposure, gain } = taken.parts.footer;
    writer.commit(bytes, metas.of(taken, { sensor_ticks: sensorTicks, exposure, gain }));
  };

  return createCodedReceiver<VlcParts>(library?.ffmpeg ?? null, setup, {
    profile,
    largest: size,
    split: (payload) => splitVlc(payload, { profile, where: stream }),
    codedOf: ({ image }) => image,
    decoded: (frame, taken, ffmpeg) =>
      publish(planesOf(ffmpeg, frame, { ...size, where: stream }).y, taken),
    raw: (taken) => publish({ data: taken.parts.image, stride: size.width }, taken),
    begin: metas.begin,
    close: () => library?.close(),
  });
}
