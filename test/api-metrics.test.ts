/**
 * What /metrics says about sensors, told by real processes (fixtures/team.ts). To see these fail: in
 * src/api/sensor-metrics.ts set what is null as 0, or leave the label of the part out.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { TestApi } from "./api.ts";
import { TestRings, until } from "./rings.ts";

const kindsModule = new URL("./fixtures/team.ts", import.meta.url).pathname;
let api: TestApi;

beforeAll(async () => {
  const sensors = [
    { kind: "single", name: "one" },
    { kind: "team", name: "many", parts: ["device", "left", "right"] },
    { kind: "single", name: "off" },
  ];
  api = new TestApi(new TestRings("api-metrics"), sensors, {
    kindsModule,
    timing: { aliveMs: 50, silentBeatsMax: 200 },
  });
  await Promise.all([api.supervisor.start("one"), api.supervisor.start("many")]);
});

afterAll(() => api.close());

async function lines(): Promise<string[]> {
  return (await (await api.fetch("/metrics")).text()).split("\n");
}

const value = (all: string[], series: string) =>
  Number(
    all
      .find((line) => line.startsWith(`${series} `))
      ?.split(" ")
      .at(-1) ?? Number.NaN,
  );

test("a clock as far as it is known", async () => {
  await until(() => api.supervisor.get("one")?.clock);
  const all = await lines();
  const clock = (name: string) =>
    value(all, `streamem_sensor_clock_${name}{sensor="one",kind="single"}`);
  expect(clock("offset_seconds")).toBe(-0.005);
  expect(clock("error_seconds")).toBe(7e-6);
  expect(clock("round_trip_seconds")).toBe(9e-6);
  expect(clock("probes")).toBe(8);
  expect(clock("epoch")).toBe(1);
  expect(clock("probe_age_seconds")).toBeGreaterThan(0);
  expect(clock("rate_ppm")).toBeNaN();
  expect(all.join("\n")).not.toContain('_clock_epoch{sensor="off"');
});

test("what sensors count, by part where they are several processes", async () => {
  const one = 'streamem_sensor_counted_total{sensor="one",kind="single",what="dropped"}';
  await until(async () => value(await lines(), one) === 3);
  const of = (part: string) =>
    `streamem_sensor_counted_total{sensor="many",kind="team",part="${part}",what="greeted"}`;
  await until(async () => value(await lines(), of("left")) === 1);
  await until(async () => value(await lines(), of("right")) === 1);
});
