/** Receivers of streams, decoders and all, under damaged payloads: what every family must hold to. */
import { describe, expect, test } from "bun:test";
import type { StreamReceiving } from "../sensors/hololens/streams/receiver.ts";
import type { StreamFamily, StreamName } from "../sensors/hololens/wire/ports.ts";
import { ProtocolError } from "../sensors/hololens/wire/protocol-error.ts";
import { StreamRig } from "./hololens-streams-rig.ts";
import { createMutator } from "./hololens-wire-fuzz.ts";
import { bytesOf, vector } from "./hololens-wire-vectors.ts";

/** One way in which a family's payloads come. */
export interface Variant<F extends StreamFamily = StreamFamily> {
  receiving: StreamReceiving<F>;
  stream: StreamName;
  keys?: object;
  /** In their order a stream that is published whole. */
  seeds: Uint8Array[];
  mutants: number;
  /** Two for depth with active brightness. */
  rings?: number;
}

/** The payload of a vector's packet. */
export function payloadOf(name: string): Uint8Array {
  const one = vector(name);
  return bytesOf(one).subarray(12, one.hasPose ? -64 : undefined);
}

async function open<F extends StreamFamily>({ receiving, stream, keys = {} }: Variant<F>) {
  const rig = new StreamRig({ stream, keys, countOnly: true });
  await rig.open(receiving);
  return rig;
}

/** Only a ProtocolError may leave it; after one that ends connections another connection begins. */
function take(rig: StreamRig, payload: Uint8Array, timestamp: bigint): void {
  try {
    rig.receiver.take({ payload, timestamp, arrivalNs: timestamp, pose: null }, 0);
  } catch (error) {
    if (!(error instanceof ProtocolError)) {
      throw new Error(`${payload.toHex().slice(0, 4000)}: ${error}`, { cause: error });
    }
    if (error.kind !== "frame") rig.receiver.begin();
  }
}

function expectGoesOn<F extends StreamFamily>(rig: StreamRig, { seeds, rings = 1 }: Variant<F>) {
  rig.receiver.begin();
  const before = rig.publishedCount;
  for (const [i, seed] of seeds.entries()) take(rig, seed, 2n ** 40n + BigInt(i));
  expect(rig.publishedCount - before).toBe(rings * seeds.length);
}

/** Undamaged payloads are published again afterwards, and memory is what it was in the middle. */
async function fuzzStream<F extends StreamFamily>(variant: Variant<F>): Promise<void> {
  const rig = await open(variant);
  const mutate = createMutator(variant.mutants);
  const { seeds, mutants } = variant;
  let settledBytes = 0;
  for (let i = 0; i < mutants; i++) {
    take(rig, mutate(seeds[i % seeds.length] as Uint8Array), BigInt(i));
    if (i !== mutants / 2) continue;
    Bun.gc(true);
    settledBytes = process.memoryUsage.rss();
  }
  expectGoesOn(rig, variant);
  Bun.gc(true);
  expect((process.memoryUsage.rss() - settledBytes) / 2 ** 20).toBeLessThan(64);
  rig.close();
}

/** Long ones at 2000 places. */
async function cutStream<F extends StreamFamily>(variant: Variant<F>): Promise<void> {
  const rig = await open(variant);
  let timestamp = 0n;
  for (const seed of variant.seeds.slice(0, 2)) {
    const step = seed.length > 4000 ? Math.ceil(seed.length / 2000) : 1;
    for (let cut = 0; cut < seed.length; cut += step) {
      timestamp += 1n;
      take(rig, seed.subarray(0, cut), timestamp);
    }
  }
  expectGoesOn(rig, variant);
  rig.close();
}

/** The tests of one family of streams. */
export function fuzzFamily<F extends StreamFamily>(name: string, variants: Variant<F>[]): void {
  describe(name, () => {
    test("mutants", async () => {
      expect(variants.reduce((sum, { mutants }) => sum + mutants, 0)).toBe(20_000);
      for (const variant of variants) await fuzzStream(variant);
    }, 120_000);

    test("cut at every byte", async () => {
      for (const variant of variants) await cutStream(variant);
    });
  });
}
