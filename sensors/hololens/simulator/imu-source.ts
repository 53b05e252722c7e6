/** Accelerometer, gyroscope, magnetometer: what the moving head would feel, with the noise of such sensors. */
import { encodeImu, type ImuSample } from "../wire/imu.ts";
import type { Vector } from "../wire/pose.ts";
import { noiseAt } from "./noise.ts";
import type { Moment, Source, SourceSetup } from "./source.ts";
import { imuAt } from "./world/motion.ts";

type Sensor = "accelerometer" | "gyroscope" | "magnetometer";

interface Batch {
  samples: number;
  periodSeconds: number;
  /** Deviation, in the sensor's unit. */
  noise: number;
}

const batches: Record<Sensor, Batch> = {
  accelerometer: { samples: 93, periodSeconds: 0.085, noise: 0.03 },
  gyroscope: { samples: 315, periodSeconds: 0.048, noise: 0.1 },
  magnetometer: { samples: 11, periodSeconds: 0.22, noise: 0.4 },
};

/** The head moves slowly: between so few places the rest lies on straight lines. */
const places = 6;
const temperature = 36.5;
/** The sensors' own clock began with the app, not with the device, ns. */
const sensorOriginNs = 1_000_000_000n;

export function openImuSource({ stream }: Pick<SourceSetup<"imu">, "stream">): Source {
  const sensor = stream as Sensor;
  const { periodSeconds } = batches[sensor];
  return {
    periodSeconds,
    payload: (moment) => encodeImu(batchUntil(sensor, moment)),
    close() {},
  };
}

/** The samples that were taken since the batch before; the last one at the moment itself. */
function batchUntil(sensor: Sensor, { ticks, seconds }: Moment): ImuSample[] {
  const { samples, periodSeconds, noise } = batches[sensor];
  const felt = Array.from({ length: places }, (_, i) =>
    imuAt(sensor, seconds - periodSeconds * (1 - i / (places - 1))),
  );
  return Array.from({ length: samples }, (_, i) => {
    const share = (i + 1) / samples;
    const agoTicks = Math.round(periodSeconds * (1 - share) * 1e7);
    const socTicks = ticks - BigInt(agoTicks);
    const at = Number(socTicks & 0xffff_ffffn);
    return {
      sensorTicks: BigInt.asUintN(64, socTicks * 100n + sensorOriginNs),
      socTicks: BigInt.asUintN(64, socTicks),
      xyz: between(felt, share).map((value, axis) => value + noise * noiseAt(3 * at + axis)),
      temperature: sensor === "magnetometer" ? Number.NaN : temperature,
    };
  });
}

/** @param share of the way along the places, 0 to 1 */
function between(felt: readonly Vector[], share: number): [number, number, number] {
  const along = share * (felt.length - 1);
  const i = Math.min(Math.floor(along), felt.length - 2);
  const [from, to] = [felt[i] as Vector, felt[i + 1] as Vector];
  const at = (axis: 0 | 1 | 2) => from[axis] + (along - i) * (to[axis] - from[axis]);
  return [at(0), at(1), at(2)];
}
