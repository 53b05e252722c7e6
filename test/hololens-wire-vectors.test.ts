// That no vector is left out, and what is left to others.
import { expect, test } from "bun:test";
import { groups, vectors, vectorsOf } from "./hololens-wire-vectors.ts";

test("every vector is in one group", () => {
  const counts = Object.keys(groups).map((group) => [
    group,
    vectorsOf(group as keyof typeof groups).length,
  ]);
  expect(Object.fromEntries(counts)).toEqual({
    ...{
      requests: 43 + 8 + 38,
      packets: 15 + 1 + 1,
      pictures: 11 + 2,
      calibration: 6,
      codecs: 7,
      bad: 19,
    },
    seed: 10,
  });
  expect(vectors.length).toBe(161);
});

test("no vector is in two groups", () => {
  for (const { name } of vectors) {
    expect([name, Object.values(groups).filter((group) => group.test(name)).length]).toEqual([
      name,
      1,
    ]);
  }
});

test("the parts of vectors that need more than this layer", () => {
  // Their framing and footers are held here; what comes out of a decoder is held by the decoders' tests.
  const coded = vectors.filter(({ name, fields }) => fields.codec || name.includes("aac_adts"));
  expect(coded.map(({ name }) => name)).toEqual([
    "packet/rm_depth_ahat/h264_flat_mode0",
    "packet/rm_vlc/h264_flat_mode0",
    "packet/pv/h264_424x240_flat_mode1",
    "packet/rm_depth_ahat/hevc_flat_mode0",
    "packet/rm_vlc/hevc_flat_mode0",
    "packet/pv/hevc_424x240_flat_mode1",
    "packet/microphone/aac_adts_one_frame",
  ]);
  // What follows on the connection (a stream that goes on, a socket that is destroyed) is the session's.
  const sessions = vectors.filter(({ fields }) => /stream goes on|destroyed/.test(fields.expect));
  expect(sessions.map(({ name }) => name)).toEqual([
    "bad/oversize_header_ffffffff",
    "bad/vlc_footer_only",
  ]);
});
