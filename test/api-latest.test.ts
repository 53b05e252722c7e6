/**
 * To see these fail: in src/api/latest.ts answer 200 where `hasAlready`, or take the descriptor's shape;
 * in src/api/newest.ts leave out `kept` (encoded anew each time) or `shared` (twice at once), or the wait
 * before it (an older picture than asked for); in src/api/bodies.ts give a field's bigint as a number;
 * in newest.ts make a picture's numbers with it, once.
 */
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { PNG } from "pngjs";
import { frameSchema } from "../src/api/schemas.ts";
import * as png from "../src/pictures/png.ts";
import type { StreamSpec } from "../src/ring/descriptor.ts";
import { monotonicNs } from "../src/ring/ffi.ts";
import { encodeFields, layOutFields } from "../src/ring/fields.ts";
import { TestApi } from "./api.ts";
import { camera, TestRings, until } from "./rings.ts";

let api: TestApi;
let rings: TestRings;

beforeEach(() => {
  rings = new TestRings("api-latest");
  api = new TestApi(rings);
});

afterEach(() => api.close());

const latest = (name: string, extension = "") => `/api/v1/streams/${name}/latest${extension}`;

function picture(fill: number, bytes = 72): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).fill(fill);
}

async function pngOf(response: Response) {
  return PNG.sync.read(Buffer.from(await response.arrayBuffer()));
}

describe("numbers", () => {
  test("all that is known of the newest frame", async () => {
    const fields = layOutFields([
      { name: "exposure", dtype: "<f4" },
      { name: "gain", dtype: "<f8" },
      { name: "ticks", dtype: "<u8" },
      { name: "pose", dtype: "<f4", shape: [2] },
    ]);
    const writer = rings.writer("cam", { ...camera, fields });
    const values = { exposure: 0.5, gain: Number.NaN, ticks: 2n ** 60n, pose: [1, 2] };
    writer.publish(picture(7), {
      deviceTime: 2n ** 63n,
      captureTimeNs: 5n,
      clockEpoch: 2,
      fields: encodeFields(new Uint8Array(32), fields, values),
    });
    const body = await api.json(latest("cam"));
    expect(frameSchema.parse(body) as unknown).toEqual(body);
    expect(body).toMatchObject({
      name: "cam",
      generation: writer.generation,
      sequence: "1",
      dtype: "|u1",
      shape: [4, 6, 3],
      payloadBytes: 72,
      deviceTime: (2n ** 63n).toString(),
      captureTimeNs: "5",
      timeErrorNs: null,
      clockEpoch: 2,
      fields: { exposure: 0.5, gain: null, ticks: (2n ** 60n).toString(), pose: [1, 2] },
    });
    expect(body.publishTimeNs).toMatch(/^\d+$/);
  });

  test.each(["", ".bin", ".npy", ".jpg", ".png"])(
    "before the first frame: %p",
    async (extension) => {
      rings.writer("cam", camera);
      const { title, response } = await api.problem(latest("cam", extension), 404);
      expect(title).toBe("No frame yet");
      expect(response.headers.get("retry-after")).toBe("1");
      await api.problem(latest("nobody", extension), 404);
    },
  );
});

describe("ETag", () => {
  test.each(["", ".bin", ".npy", ".jpg", ".png"])(
    "names generation and sequence, and spares the body: %p",
    async (extension) => {
      const writer = rings.writer("cam", camera);
      writer.publish(picture(1));
      const path = latest("cam", extension);
      const etag = `"${writer.generation}.1"`;
      expect((await api.fetch(path)).headers.get("etag")).toBe(etag);
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const again = await api.fetch(path, { headers: { "If-None-Match": known } });
        expect([again.status, await again.text()]).toEqual([304, ""]);
        expect(again.headers.get("etag")).toBe(etag);
      }
      writer.publish(picture(2));
      const next = await api.fetch(path, { headers: { "If-None-Match": etag } });
      expect([next.status, next.headers.get("etag")]).toEqual([200, `"${writer.generation}.2"`]);
    },
  );
});

describe("bytes", () => {
  test("of the newest frame, with shape and dtype beside them", async () => {
    const writer = rings.writer("cam", camera);
    writer.publish(picture(1));
    writer.publish(picture(2));
    const response = await api.fetch(latest("cam", ".bin"));
    expect(await response.bytes()).toEqual(picture(2));
    expect(response.headers.get("streamem-shape")).toBe("[4,6,3]");
    expect(response.headers.get("streamem-dtype")).toBe('"|u1"');
  });

  test.each([".bin", ".npy", ".jpg", ".png"])(
    "of latest%s: which frame it is, and its times",
    async (extension) => {
      const writer = rings.writer("cam", camera);
      writer.publish(picture(1), { captureTimeNs: 5n, timeErrorNs: 3n });
      const { dtype, fields, ageNs, ...wanted } = await (await api.fetch(latest("cam"))).json();
      let before = BigInt(ageNs);
      // The second time it is the picture made before: its age is not.
      for (let time = 0; time < 2; time++) {
        const { headers } = await api.fetch(latest("cam", extension));
        const { ageNs: age, ...numbers } = JSON.parse(headers.get("streamem-frame") ?? "");
        expect(numbers).toEqual(wanted);
        expect(BigInt(age)).toBeGreaterThan(before);
        before = BigInt(age);
        expect(BigInt(age)).toBeLessThanOrEqual(monotonicNs() - 5n);
      }
    },
  );

  test("of a smaller frame, with its own shape", async () => {
    rings.writer("cam", camera).publish(picture(3, 18), { shape: [2, 3, 3] });
    const bytes = await api.fetch(latest("cam", ".bin"));
    expect([(await bytes.bytes()).length, bytes.headers.get("streamem-shape")]).toEqual([
      18,
      "[2,3,3]",
    ]);
    const { width, height } = await pngOf(await api.fetch(latest("cam", ".png")));
    expect([width, height]).toEqual([3, 2]);
    expect(header(await (await api.fetch(latest("cam", ".npy"))).bytes())).toContain("(2, 3, 3)");
  });
});

function header(npy: Uint8Array): string {
  return new TextDecoder("latin1").decode(
    npy.subarray(10, 10 + (npy[8] ?? 0) + 256 * (npy[9] ?? 0)),
  );
}

describe("npy", () => {
  test("of records, as they lie in the ring", async () => {
    const dtype: StreamSpec["dtype"] = [
      ["p", "<f4", [3]],
      ["id", "<u2"],
    ];
    const bytes = Uint8Array.from({ length: 28 }, (_, at) => at);
    rings.writer("poses", { kind: "pose", dtype, shape: [2] }).publish(bytes);
    const npy = await (await api.fetch(latest("poses", ".npy"))).bytes();
    expect(header(npy)).toContain("[('p', '<f4', (3,)), ('id', '<u2')]");
    expect(npy.subarray(-28)).toEqual(bytes);
  });

  test("of rows with gaps, without them", async () => {
    const strides = [20, 3, 1];
    const bytes = Uint8Array.from({ length: 78 }, (_, at) =>
      at % 20 < 18 ? Math.floor(at / 20) : 99,
    );
    rings.writer("cam", { ...camera, strides }).publish(bytes);
    const npy = await (await api.fetch(latest("cam", ".npy"))).bytes();
    expect(npy.subarray(-72)).toEqual(
      Uint8Array.from({ length: 72 }, (_, at) => Math.floor(at / 18)),
    );
  });

  test("of a message that states no shape: as many elements as it has", async () => {
    const spec: StreamSpec = { kind: "message", dtype: "|u1", shape: [16384], encoding: "utf8" };
    rings.writer("text", spec).publish(new TextEncoder().encode("hello"));
    const npy = await (await api.fetch(latest("text", ".npy"))).bytes();
    expect(header(npy)).toContain("(5,)");
    expect(new TextDecoder().decode(npy.subarray(-5))).toBe("hello");
  });

  test("of a frame too short for its shape: words, and the bytes elsewhere", async () => {
    rings.writer("cam", camera).publish(picture(1, 10));
    const { detail } = await api.problem(latest("cam", ".npy"), 422);
    expect(detail).toContain("has 10 B; shape [4,6,3] needs 72 B");
    expect((await (await api.fetch(latest("cam", ".bin"))).bytes()).length).toBe(10);
    await api.problem(latest("cam", ".png"), 406);
  });
});

describe("pictures", () => {
  test("latest.png is the newest frame, its colours in order", async () => {
    const bgr = Uint8Array.from({ length: 72 }, (_, at) => [10, 20, 30][at % 3] as number);
    rings.writer("cam", camera).publish(bgr);
    const response = await api.fetch(latest("cam", ".png"));
    expect(response.headers.get("content-type")).toBe("image/png");
    const { width, height, data } = await pngOf(response);
    expect([width, height]).toEqual([6, 4]);
    expect([...data.subarray(0, 4)]).toEqual([30, 20, 10, 255]);
  });

  test.each(["jpg", "png"])("latest.%s of what is no picture says so in words", async (format) => {
    rings.writer("mic", { kind: "audio", dtype: "<f4", shape: [2, 4] }).publish(new Uint8Array(32));
    const { detail } = await api.problem(latest("mic", `.${format}`), 406);
    expect(detail).toContain('audio of "<f4" [2,4]');
    expect(detail).toContain(latest("mic", ".npy"));
  });

  test("a frame is encoded once, however many ask", async () => {
    const writer = rings.writer("cam", camera);
    writer.publish(picture(1));
    const encode = spyOn(png, "encodePng");
    const ask = async () => (await api.fetch(latest("cam", ".png"))).headers.get("etag");
    expect(new Set(await Promise.all(Array.from({ length: 20 }, ask))).size).toBe(1);
    await ask();
    expect(encode).toHaveBeenCalledTimes(1);
    writer.publish(picture(2));
    await ask();
    expect(encode).toHaveBeenCalledTimes(2);
    encode.mockRestore();
  });

  test("what is asked for while an older frame is encoded is not that older frame", async () => {
    const writer = rings.writer("cam", camera);
    writer.publish(picture(1));
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { encodePng } = png;
    const encode = spyOn(png, "encodePng").mockImplementation(async (picture) => {
      await held;
      return encodePng(picture);
    });
    const first = api.fetch(latest("cam", ".png"));
    await until(() => encode.mock.calls.length > 0);
    writer.publish(picture(2));
    const later = [api.fetch(latest("cam", ".png")), api.fetch(latest("cam", ".png"))];
    // A slow encode holds nobody else.
    expect((await api.fetch(latest("cam", ".jpg"))).status).toBe(200);
    expect((await api.fetch("/healthz")).status).toBe(200);
    release();
    expect((await first).headers.get("etag")).toEndWith('.1"');
    for (const response of later) expect((await response).headers.get("etag")).toEndWith('.2"');
    expect(encode).toHaveBeenCalledTimes(2);
    encode.mockRestore();
  });

  test("a failed encode does not stand in the way of the next", async () => {
    const writer = rings.writer("cam", camera);
    writer.publish(picture(1, 5));
    await api.problem(latest("cam", ".png"), 406);
    writer.publish(picture(2));
    expect((await api.fetch(latest("cam", ".png"))).status).toBe(200);
  });
});
