/**
 * Sensors driven from the page: real ones in a real hub, and one with controls. To see these fail: in
 * src/web/wall/group.tsx post to another path, or leave out the refusal; in src/supervisor/part-life.ts
 * call no `logged`; in src/web/wall/controls.tsx send nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { colourAt, hasBrowser, PageRig } from "./page-rig.ts";
import { until } from "./rings.ts";

const config = `
sensors:
  - { kind: rand-camera, name: cam, width: 64, height: 48 }
  - { kind: video, name: gone, url: /nowhere/film.mp4 }
`;
const rig = new PageRig("page-driving");
const button = (name: string) => rig.page.getByRole("button", { name, exact: true });
const group = (name: string) => rig.page.getByRole("region", { name, exact: true });
const state = async () => {
  const body = (await (await fetch(`${rig.url}/api/v1/sensors/cam`)).json()) as Sensor;
  return body;
};
interface Sensor {
  state: string;
  pid: number | null;
}

describe.skipIf(!hasBrowser)("sensors", () => {
  beforeAll(async () => {
    await rig.open(config);
    await rig.page.goto(rig.url);
    await rig.tile("cam").getByText("live").waitFor();
  });

  afterAll(() => rig.close());

  test("stopped and started from the page", async () => {
    await button("Stop cam").click();
    await group("cam").getByText("Stopped. Its streams come back when it is started.").waitFor();
    expect((await state()).state).toBe("stopped");
    await button("Start cam").click();
    const canvas = rig.stage("cam").locator("canvas");
    await canvas.waitFor();
    await until(async () => (await colourAt(canvas, 0.5, 0.5))[3] === 255);
    await until(async () => (await state()).state === "running");
  });

  test("restarted: another process", async () => {
    const { pid } = await state();
    await button("Restart cam").click();
    await until(async () => {
      const now = await state();
      return now.state === "running" && now.pid !== pid;
    });
    await rig.tile("cam").getByText("live").waitFor();
  });

  test("one that fails says why, and its log is there", async () => {
    await group("gone").getByText("failed").first().waitFor();
    await button("Details of gone").click();
    await group("gone")
      .getByText(/Last error.*\/nowhere\/film\.mp4/)
      .waitFor();
    const log = group("gone").getByRole("list", { name: "Log of gone, newest first" });
    await log
      .getByText(/error .*\/nowhere\/film\.mp4/)
      .first()
      .waitFor();
    await button("Details of gone").click();
  });

  test("NDI sources are listed when they are asked for; a search that fails is said", async () => {
    const found = [{ name: "MEVO (One)", address: "192.168.1.50:5961" }];
    let answer: { status: number; json: object } = {
      status: 200,
      json: { sources: found, problems: ["no libndi: only mDNS was heard"] },
    };
    let answering = Promise.resolve();
    let asked = 0;
    // Cameras of others are on no test's network: the hub's answer is given here, whenever it is asked for.
    await rig.page.route("**/api/v1/ndi/sources", async (route) => {
      asked++;
      await answering;
      await route.fulfill(answer);
    });
    const list = rig.page.getByText("NDI sources on the network");
    await list.click();
    await rig.page.getByText('- { kind: ndi, name: camera, source: "MEVO (One)" }').waitFor();
    await rig.page.getByText("no libndi: only mDNS was heard").waitFor();
    answer = { status: 503, json: { detail: "The search failed." } };
    await rig.page.getByText("The search failed.").waitFor();

    // To see it fail: let the answer that comes after the list was closed ask for the next one.
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    answering = closed;
    const before = asked;
    await until(() => asked > before);
    await list.click();
    await rig.page.getByText("The search failed.").waitFor({ state: "detached" });
    close();
    await Bun.sleep(5000); // longer than the page pauses between two searches
    expect(asked).toBe(before + 1);
  });

  test("what the hub cannot do is said beside the button", async () => {
    await rig.stopHub("SIGKILL");
    await button("Stop cam").click();
    await group("cam").getByText("stop failed: The hub does not answer").waitFor();
    await rig.startAgain(config);
    await rig.tile("cam").getByText("live").waitFor();
  });
});

describe.skipIf(!hasBrowser)("controls", () => {
  const rig = new PageRig("page-controls");
  const fixture = join(import.meta.dir, "fixtures/serve-api.ts");

  beforeAll(async () => {
    const sensors = JSON.stringify([{ kind: "single", name: "s" }]);
    const command = [process.execPath, fixture, rig.rings.prefix, "0", sensors, "./team.ts"];
    await rig.open(undefined, command);
    await rig.page.goto(rig.url);
  });

  afterAll(() => rig.close());

  test("are set, and what is not allowed stands beside the button", async () => {
    await rig.page.getByRole("button", { name: "Details of s" }).click();
    const form = rig.page.getByRole("form", { name: "Gain of s" });
    const value = form.getByLabel("value");
    await until(async () => (await value.inputValue()) === "1");
    await value.fill("7");
    await form.getByRole("button", { name: "Set Gain" }).click();
    await form.getByText("Set", { exact: true }).last().waitFor();
    const answer = await fetch(`${rig.url}/api/v1/sensors/s/controls`);
    expect(await answer.json()).toMatchObject({ values: { gain: 7 } });
    await value.fill("21");
    await form.getByRole("button", { name: "Set Gain" }).click();
    await form.getByText("gain is 21; allowed: at most 20").waitFor();
  });
});
