// What a peer must not send, and how it is refused: the vectors, and packets cut at every byte.
import { describe, expect, test } from "bun:test";
import { parseAdts } from "../sensors/hololens/wire/adts.ts";
import { splitAhat } from "../sensors/hololens/wire/ahat-payload.ts";
import { createByteReader } from "../sensors/hololens/wire/byte-reader.ts";
import { configurationOf } from "../sensors/hololens/wire/configuration-defaults.ts";
import { splitExtendedDepth } from "../sensors/hololens/wire/extended-depth-payload.ts";
import { framingOf } from "../sensors/hololens/wire/framing.ts";
import { decodeLongthrow, splitLongthrow } from "../sensors/hololens/wire/longthrow-payload.ts";
import { encodePacket, type Packet, readPacket } from "../sensors/hololens/wire/packet.ts";
import { poseIsValid } from "../sensors/hololens/wire/pose.ts";
import { ProtocolError, type ProtocolErrorKind } from "../sensors/hololens/wire/protocol-error.ts";
import { splitVideo } from "../sensors/hololens/wire/video-payload.ts";
import { splitVlc } from "../sensors/hololens/wire/vlc-payload.ts";
import { framingIn } from "./hololens-wire-hold.ts";
import { bytesOf, pieces, type Vector, vectorsOf } from "./hololens-wire-vectors.ts";

type Outcome =
  | { error: ProtocolErrorKind; words: string; taken: number }
  | { packet: Packet | null };

/** What a client makes of bytes that arrive in pieces, the end of the connection after them. */
async function outcomeOf(one: Vector, bytes: Uint8Array, size: number): Promise<Outcome> {
  let taken = 0;
  async function* counted() {
    for await (const piece of pieces(bytes, size)) {
      taken += piece.byteLength;
      yield piece;
    }
  }
  const reader = createByteReader(counted(), one.stream ?? "");
  try {
    return { packet: await reader.read(readPacket(framingIn(one))) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { error: error.kind, words: error.message, taken };
  }
}

/** Sizes that cannot be: refused with the header, without waiting for the payload. */
const bySize: Record<string, string> = {
  "bad/oversize_header_ffffffff": "a payload of 4294967295 bytes; allowed: exactly 1936",
  "bad/size_0x80000000_looks_negative_when_signed": "a payload of 2147483648 bytes",
  "bad/si_size_1935": "a payload of 1935 bytes; allowed: exactly 1936",
  "bad/si_seed_size_1933": "a payload of 1933 bytes; allowed: exactly 1936",
  "bad/eet_size_88": "a payload of 88 bytes; allowed: exactly 92",
  "bad/imu_size_0": "a payload of 0 bytes; allowed: 32 to 65536, in multiples of 32",
  "bad/imu_size_33": "a payload of 33 bytes; allowed: 32 to 65536, in multiples of 32",
  "bad/ahat_payload_4_bytes": "a payload of 4 bytes; allowed: 16 to 2097152",
};

const byEnd: Record<string, string> = {
  "bad/truncated_header_7_bytes_then_eof": "with 7 of the next 12 bytes",
  "bad/truncated_payload_then_eof": "with 988 of the next 1936 bytes",
  "bad/truncated_pose_then_eof": "with 128 of the next 156 bytes",
};

const ahat = { depthProfile: 1, profile: 3, where: "ahat" };
const byPayload: Record<string, { parse: (payload: Uint8Array) => unknown; words: string | null }> =
  {
    "bad/ahat_inner_sizes_do_not_add_up": {
      parse: (payload) => splitAhat(payload, ahat),
      words: "parts of 4 and 100 bytes in 28; allowed: 12 together",
    },
    "bad/ahat_inner_sizes_overflow_u32": {
      parse: (payload) => splitAhat(payload, ahat),
      words: "parts of 4294967295 and 17 bytes in 24",
    },
    "bad/vlc_footer_only": {
      parse: (payload) => splitVlc(payload, { profile: 3, where: "vlc" }),
      words: null,
    },
    "bad/pv_payload_79": { parse: (payload) => splitVideo(payload, "pv"), words: null },
    "bad/longthrow_not_png": {
      parse: (payload) => decodeLongthrow(splitLongthrow(payload, "longthrow").png, "longthrow"),
      words: "longthrow: no PNG signature",
    },
    "bad/ez_raw_size_mismatch": {
      parse: (payload) => splitExtendedDepth(payload, { depthProfile: 0, where: "depth" }),
      words: "10 bytes for 4x2; allowed: 16",
    },
    "bad/aac_length_mismatch": {
      parse: (payload) => parseAdts(payload, "microphone"),
      words: "ADTS length 223 in 218 bytes",
    },
  };

describe.each([1, 3, 4096])("in pieces of %d bytes", (size) => {
  test.each(vectorsOf("bad").map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const outcome = await outcomeOf(one, bytesOf(one), size);
    const [sizeWords, endWords, payload] = [bySize[name], byEnd[name], byPayload[name]];
    if (sizeWords) {
      expect(outcome).toMatchObject({
        error: "malformed",
        words: expect.stringContaining(sizeWords),
      });
      if (size === 1) expect(outcome).toMatchObject({ taken: 12 });
    } else if (endWords) {
      expect(outcome).toMatchObject({
        error: "truncated",
        words: expect.stringContaining(endWords),
      });
    } else if (payload) {
      if (!("packet" in outcome) || !outcome.packet) throw new Error("no packet");
      const bytes = outcome.packet.payload;
      if (payload.words === null) expect(payload.parse(bytes)).toBeNull();
      else expect(() => payload.parse(bytes)).toThrow(payload.words);
    } else {
      expect(name).toBe("bad/pose_nan");
      if (!("packet" in outcome) || !outcome.packet?.pose) throw new Error("no pose");
      expect(poseIsValid(outcome.packet.pose)).toBe(false);
    }
  });
});

describe("the byte reader", () => {
  const framing = framingOf("imu", { mode: 1 });
  const packet = (samples: number): Packet => ({
    timestamp: 5n,
    payload: Uint8Array.from({ length: 32 * samples }, (_, i) => i),
    pose: Float32Array.from({ length: 16 }, (_, i) => i),
  });
  const two = [packet(2), packet(3)];
  const stream = Buffer.concat(two.map(encodePacket));

  test("cut at every byte: whole packets, then an end or an error in words", async () => {
    const firstBytes = encodePacket(two[0] as Packet).byteLength;
    for (let cut = 0; cut <= stream.byteLength; cut++) {
      const reader = createByteReader(pieces(stream.subarray(0, cut), 50), "imu");
      const read = () => reader.read(readPacket(framing));
      if (cut >= firstBytes) expect(await read()).toEqual(two[0] as Packet);
      if (cut === stream.byteLength) expect(await read()).toEqual(two[1] as Packet);
      const between = cut === 0 || cut === firstBytes || cut === stream.byteLength;
      if (between) expect(await read()).toBeNull();
      else await expect(read()).rejects.toMatchObject({ name: "ProtocolError", kind: "truncated" });
    }
  });

  test("pieces of any size give the same, also empty ones", async () => {
    for (let size = 1; size < 200; size += 7) {
      async function* withEmpty() {
        for await (const piece of pieces(stream, size)) yield* [new Uint8Array(0), piece];
      }
      for (const reuse of [false, true]) {
        const reader = createByteReader(withEmpty(), "imu", { reuse });
        for (const wanted of two) expect(await reader.read(readPacket(framing))).toEqual(wanted);
        expect(await reader.read(readPacket(framing))).toBeNull();
      }
    }
  });

  test("what is in one piece is not copied, what is not is put together once", async () => {
    const whole = Uint8Array.from(stream);
    async function* once() {
      yield whole;
    }
    const direct = await createByteReader(once(), "imu").read(readPacket(framing));
    expect(direct?.payload.buffer === whole.buffer).toBe(true);
    const reader = createByteReader(pieces(stream, 40), "imu", { reuse: true });
    const first = await reader.read(readPacket(framing));
    const memory = first?.payload.buffer;
    const second = await reader.read(readPacket(framing));
    expect(memory?.byteLength).toBe(128);
    expect(second?.payload.buffer.byteLength).toBe(256);
  });

  test("errors of the source pass through", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield stream.subarray(0, 20);
      throw new Error("ECONNRESET");
    }
    const reader = createByteReader(broken(), "imu");
    await expect(reader.read(readPacket(framing))).rejects.toThrow("ECONNRESET");
  });

  test("a size within the cap is waited for without its memory being filled", async () => {
    const header = encodePacket({ timestamp: 0n, payload: new Uint8Array(0), pose: null });
    new DataView(header.buffer).setUint32(8, 32 << 20, true);
    const video = framingOf("extended-video", configurationOf("extended-video", { mode: 0 }));
    const before = process.memoryUsage().rss;
    const reader = createByteReader(pieces(header, 12), "extended video");
    await expect(reader.read(readPacket(video))).rejects.toMatchObject({ kind: "truncated" });
    expect(process.memoryUsage().rss - before).toBeLessThan(16 << 20);
  });
});
