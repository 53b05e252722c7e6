/** What the page makes of bytes, without a browser. To see these fail, change what each names. */
import { describe, expect, test } from "bun:test";
import { freshnessOf, type Sight } from "../src/web/hub/freshness.ts";
import { compareClocks, hubTimeMs } from "../src/web/hub/hub-clock.ts";
import { hopsOf } from "../src/web/hub/shown.ts";
import { boxesOf, referenceOf } from "../src/web/views/annotations.ts";
import { depthColours, eased, paint, rangeOf } from "../src/web/views/colours.ts";
import { unitOf } from "../src/web/views/depth.tsx";
import { sceneOf } from "../src/web/views/poses.ts";
import { columnsOf } from "../src/web/views/records.ts";
import { SampleWindow } from "../src/web/views/samples.ts";
import { channelsOf, decibels, levelOf, mixed } from "../src/web/views/sound-samples.ts";
import { spectrumOf, spectrumSamples } from "../src/web/views/spectrum.ts";
import { clockWords } from "../src/web/wall/clock-words.ts";
import { controlsOf, valueIn } from "../src/web/wall/control-schema.ts";

describe("an old picture is never live", () => {
  const shown = { generation: "g", sequence: 7n, publishTimeMs: 100_000, atMs: 1000 };
  const stream = { state: "live", rate: 30, ageNs: "5000000", shm: { generation: "g" } } as const;
  const sight: Sight = {
    stream,
    shown,
    hubAway: false,
    hubNowMs: 100_100,
    nowMs: 1100,
    answeredAtMs: 1100,
  };
  const fresh = (changes: Partial<Sight>) => freshnessOf({ ...sight, ...changes });

  test("one of just now is", () => {
    expect(fresh({})).toEqual({ fresh: true, words: "" });
  });

  test("not when the hub is away, its writer is, or the ring is another one", () => {
    expect(fresh({ hubAway: true }).words).toBe("0 s old: the hub does not answer");
    for (const state of ["stalled", "dead", "retired"] as const) {
      expect(fresh({ stream: { ...stream, state } }).fresh).toBeFalse();
    }
    expect(fresh({ stream: { ...stream, shm: { generation: "h" } } }).fresh).toBeFalse();
  });

  test("not after 2 s or five periods, whatever the hub says of its stream: the socket may hang alone", () => {
    expect(fresh({ hubNowMs: 101_900 }).fresh).toBeTrue();
    expect(fresh({ hubNowMs: 102_100 })).toEqual({
      fresh: false,
      words: "2 s old: no newer one comes",
    });
    const slow = { ...stream, rate: 0.5 };
    expect(fresh({ stream: slow, hubNowMs: 109_000 }).fresh).toBeTrue();
    expect(fresh({ stream: slow, hubNowMs: 111_000 }).fresh).toBeFalse();
  });

  test("without the hub's clock the time since it was painted counts", () => {
    expect(fresh({ hubNowMs: null, nowMs: 3500 }).fresh).toBeFalse();
  });

  test("without a rate it is old where the hub knows a newer one", () => {
    const rateless = { ...stream, rate: null };
    const late = { hubNowMs: 160_000, nowMs: 61_000, answeredAtMs: 61_000 };
    expect(fresh({ ...late, stream: { ...rateless, ageNs: "60000000000" } }).fresh).toBeTrue();
    expect(fresh({ ...late, stream: { ...rateless, ageNs: "50000000" } }).fresh).toBeFalse();
  });
});

describe("latency by hop", () => {
  test("in ms, with the bound of the device's time, and of the hub's clock here", () => {
    compareClocks(5_000_000_000n, 1000, 1004); // the hub's 5000 ms are this page's 1002
    expect(hubTimeMs(1002)).toEqual({ ms: 5000, errorMs: 2 });
    compareClocks(5_100_000_000n, 1100, 1120); // a longer way says less
    expect(hubTimeMs(1002)).toEqual({ ms: 5000, errorMs: 2 });
    const times = {
      captureTimeNs: 4_950_000_000n,
      timeErrorNs: 500_000n,
      arrivalTimeNs: 4_970_000_000n,
      publishTimeNs: 4_972_000_000n,
    };
    expect(hopsOf(times, 1002)).toEqual([
      { name: "device → arrival", ms: 20, errorMs: 0.5 },
      { name: "arrival → published", ms: 2, errorMs: null },
      { name: "published → here", ms: 28, errorMs: 2 },
    ]);
    const [first] = hopsOf({ ...times, arrivalTimeNs: null, timeErrorNs: null }, 1002);
    expect(first).toEqual({ name: "capture → published", ms: 22, errorMs: null });
  });

  test("a clock that was set back voids what was known of it", () => {
    compareClocks(1_000_000_000n, 2000, 2002);
    expect(hubTimeMs(2001)).toEqual({ ms: 1000, errorMs: 1 });
  });
});

describe("a device's clock", () => {
  const probed = {
    method: "probe" as "probe" | "one-way",
    roundTripNs: "900000",
    probes: 9,
    probedNs: "5",
    probeAgeNs: "6",
    errorNs: "450000",
    ratePpm: 12.34,
    epoch: 0,
  };
  const newest = { publishTimeNs: 50_000_000_000n, publishUtcNs: 1_795_847_085_543_000_000n };

  test("of its own: its offset to CLOCK_MONOTONIC, with the bound", () => {
    const { words, title } = clockWords({ ...probed, offsetNs: "-12345678000" }, newest);
    expect(words).toBe("−12.346 s ± 450 µs");
    expect(title).toContain(
      "(-12345678000 ns to CLOCK_MONOTONIC), asked and answered in 900 µs, 12.3 ppm",
    );
  });

  test("that counts from 1970 is compared with the wall clock", () => {
    const { publishTimeNs, publishUtcNs } = newest;
    const offsetNs = String(publishTimeNs - publishUtcNs + 7_000_000n);
    const clock = { ...probed, method: "one-way" as const, errorNs: null, ratePpm: null, offsetNs };
    expect(clockWords(clock, newest).words).toBe("UTC +0.007 s ± unknown");
    expect(clockWords(clock, null).words).toBe("−1795847035.536 s ± unknown");
  });

  test("is this machine's own where there is no other", () => {
    expect(clockWords(null, newest).words).toBe("this machine's own");
  });
});

describe("depth", () => {
  test("lightness falls evenly with distance", () => {
    const light = (step: number) => {
      const [red = 0, green = 0, blue = 0] = depthColours.subarray(step * 4);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    for (let step = 8; step < 256; step += 8) expect(light(step)).toBeLessThan(light(step - 8));
    expect(light(0) - light(255)).toBeGreaterThan(150);
  });

  test("what was not measured is painted by nothing; the ends of the range by the ends of the map", () => {
    const into = new Uint8ClampedArray(16);
    paint(Uint16Array.from([0, 1000, 3000, 9000]), into, { low: 1000, high: 3000 }, depthColours);
    expect([...into.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect([...into.subarray(4, 8)]).toEqual([...depthColours.subarray(0, 4)]);
    expect([...into.subarray(8, 12)]).toEqual([...depthColours.subarray(1020)]);
    expect([...into.subarray(12)]).toEqual([...depthColours.subarray(1020)]);
  });

  test("the range leaves single wild values out, and nothing measured has none", () => {
    const pixels = Uint16Array.from({ length: 1000 }, (_, i) => (i === 5 ? 65_535 : 500 + i));
    const range = rangeOf(pixels);
    expect(range?.high).toBeLessThan(1500);
    expect(rangeOf(new Uint16Array(100))).toBeNull();
    expect(eased({ low: 0, high: 100 }, { low: 100, high: 200 })).toEqual({ low: 15, high: 115 });
    expect(eased({ low: 1, high: 2 }, null)).toEqual({ low: 1, high: 2 });
  });

  test("metres by scale or unit; where neither says it, with a question mark", () => {
    const of = (stream: object) => unitOf({ kind: "depth", ...stream } as never).words(1500);
    expect(of({ units: "mm", scale: 0.001 })).toBe("1.50 m");
    expect(of({ units: "mm" })).toBe("1.50 m");
    expect(of({ units: "m" })).toBe("1500.00 m");
    expect(of({ units: "the camera's own, mostly mm" })).toBe("1.50 m ?");
    expect(unitOf({ kind: "video" }).words(12.4)).toBe("12");
  });
});

describe("sound", () => {
  test("rows are channels, or columns where dims say so; whole numbers by their full scale", () => {
    const bytes = new Uint8Array(Int16Array.from([1, 2, 3, 4, 5, 6].map((n) => n * 4096)).buffer);
    const eighths = (channels: Float32Array[]) => channels.map((one) => [...one].map((v) => v * 8));
    expect(eighths(channelsOf(bytes, { dtype: "<i2" }, [2, 3]))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const dims = ["sample", "channel"];
    expect(eighths(channelsOf(bytes, { dtype: "<i2", dims }, [2, 3]))).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(eighths(channelsOf(bytes, { dtype: "<i2" }, [6]))).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(channelsOf(bytes, { dtype: "<c8" }, [6])).toEqual([]);
    expect(channelsOf(bytes.subarray(0, 3), { dtype: "<i2" }, [6])[0]?.length).toBe(1);
  });

  test("levels and the mean of channels", () => {
    const square = Float32Array.from([0.5, -0.5, 0.5, -0.5]);
    expect(levelOf(square)).toEqual({ rms: 0.5, peak: 0.5 });
    expect(decibels(0.5)).toBeCloseTo(-6.02, 2);
    expect(decibels(0)).toBe(-60);
    expect([...mixed([square, new Float32Array(4)])]).toEqual([0.25, -0.25, 0.25, -0.25]);
  });

  test("a tone of full scale stands at 0 dB in its place, and nowhere else", () => {
    const tone = Float32Array.from({ length: spectrumSamples }, (_, i) =>
      Math.sin((2 * Math.PI * 100 * i) / spectrumSamples),
    );
    const levels = spectrumOf(tone);
    expect(levels[100]).toBeCloseTo(0, 1);
    expect(levels[300]).toBeLessThan(-90);
    expect(Math.max(...spectrumOf(new Float32Array(spectrumSamples)))).toBe(-120);
  });
});

describe("samples over time", () => {
  const spec = { kind: "imu", dtype: "<f4", shape: [400, 3], rate: 10 } as const;

  test("each bin keeps its least and its largest value: a peak of one sample is seen", () => {
    const kept = new SampleWindow(spec as never);
    expect(kept.names).toEqual(["x", "y", "z"]);
    const batch = new Float32Array(1200);
    batch[3 * 217] = 99;
    kept.add(new Uint8Array(batch.buffer), 5);
    const [times, x] = kept.data;
    expect(times.length).toBe(8);
    expect(Math.max(...(x ?? []))).toBe(99);
    expect(times[0]).toBe(5);
    expect(times.at(-1)).toBeLessThan(5.1);
  });

  test("ten seconds are kept, whatever the clock does", () => {
    const kept = new SampleWindow({ ...spec, shape: [1, 3] } as never);
    const one = new Uint8Array(12);
    for (let at = 0; at < 300; at++) kept.add(one, at / 10);
    expect(kept.data[0][0]).toBeGreaterThanOrEqual(19.8);
    for (let at = 0; at < 5000; at++) kept.add(one, -at);
    expect(kept.data[0].length).toBeLessThanOrEqual(1600);
    expect(kept.data[1]?.length).toBe(kept.data[0].length);
  });

  test("records have columns by name; ticks are not drawn", () => {
    const dtype = [
      ["sensor_ticks", "<u8"],
      ["xyz", "<f4", [3]],
      ["temperature", "<f4"],
    ] as [string, string, number[]][];
    const stream = { kind: "imu", dtype, shape: [93], rate: 12 } as never;
    expect(columnsOf(stream).map(({ name, offset }) => `${name}@${offset}`)).toEqual([
      "sensor_ticks@0",
      "x@8",
      "y@12",
      "z@16",
      "temperature@20",
    ]);
    expect(new SampleWindow(stream).names).toEqual(["x", "y", "z"]);
    new SampleWindow(stream).add(new Uint8Array(5), 1); // less than a record
  });
});

describe("boxes", () => {
  const box: [number, number, number, number] = [1, 2, 3, 4];

  test("of one, of several, of a list; and of nothing else", () => {
    expect(boxesOf({ label: "cup", box })).toEqual([{ label: "cup", box }]);
    expect(boxesOf({ boxes: [{ label: 7, score: 0.914, box }, { box: [1] }, null] })).toEqual([
      { label: "7 91 %", box },
    ]);
    expect(boxesOf([{ box }])).toEqual([{ label: "", box }]);
    expect(boxesOf({ boxes: [box] })).toEqual([{ label: "", box }]); // as examples/detect_motion.py has them
    expect(boxesOf({ boxes: [] })).toEqual([]);
    for (const no of [null, 4, "box", {}, { box: "1234" }, { box: [1, 2, 3, "4"] }, [1]]) {
      expect(boxesOf(no)).toBeNull();
    }
  });

  test("the frame that a message refers to, by its fields", () => {
    const name = [...new TextEncoder().encode("hl.pv"), ...new Array(59).fill(0)];
    const fields = {
      refers_to_sequence: 12n,
      refers_to_capture_time_ns: 0xffff_ffff_ffff_ffffn,
      refers_to_generation: new Array(16).fill(0xab),
      refers_to_stream: name,
    };
    expect(referenceOf(fields)).toEqual({
      stream: "hl.pv",
      generation: "ab".repeat(16),
      sequence: 12n,
      captureTimeNs: null,
    });
    expect(referenceOf({ ...fields, refers_to_sequence: 0n })).toBeNull();
    expect(referenceOf({})).toBeNull();
  });
});

test("poses: a ray for what has a direction, bones for a hand, axes for a matrix", () => {
  const dtype = [
    ["head_position", "<f4", [3]],
    ["head_forward", "<f4", [3]],
    ["hand_left_position", "<f4", [26, 3]],
  ] as [string, string, number[]][];
  const data = new Float32Array(6 + 78).fill(0.5);
  const bytes = new Uint8Array(data.buffer);
  const scene = sceneOf(bytes, { dtype, shape: [] }, {});
  expect(scene.dots.length).toBe(27);
  expect(scene.lines.filter(({ ray }) => ray).map(({ label }) => label)).toEqual(["head"]);
  expect(scene.lines.length).toBe(1 + 4 + 4 * 5 + 1);
  const unseen = sceneOf(bytes, { dtype, shape: [] }, { head_valid: 0, hand_left_valid: 0 });
  expect(unseen).toEqual({ lines: [], dots: [], missing: ["head", "hand left"] });
  const matrix = Float32Array.from([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 7, 8, 9, 1]);
  const axes = sceneOf(new Uint8Array(matrix.buffer), { dtype: "<f4", shape: [4, 4] }, {});
  expect(axes.lines.map(({ from }) => from)).toEqual([
    [7, 8, 9],
    [7, 8, 9],
    [7, 8, 9],
  ]);
});

test("a form of a JSON schema: what it can offer, exposure and focus first", () => {
  const controls = controlsOf({
    properties: {
      marker: { properties: { state: { type: "boolean" } } },
      pvFocus: { properties: { mode: { enum: ["manual", "auto"] }, value: { type: "integer" } } },
      eyes: { properties: { left: { properties: {} } } },
      temperature: { type: "number", readOnly: true },
    },
  });
  expect(controls.map(({ title }) => title)).toEqual(["Pv focus", "Marker"]);
  expect(valueIn({ type: "integer" }, "12")).toBe(12);
  expect(valueIn({ type: "boolean" }, "false")).toBe(false);
  expect(valueIn({ enum: [1, 2] }, "2")).toBe(2);
  expect(valueIn({ type: "integer" }, "")).toBeUndefined();
});
