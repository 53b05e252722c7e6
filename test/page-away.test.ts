/**
 * What the page says when nobody answers: a hub that ends, one that hangs, a writer that does. To see
 * these fail: in src/web/hub/hub.ts leave out the time limit of `fetch`, or the second `listen()`; in
 * freshness.ts say that all is fresh; in live-feed.ts leave out `#lost`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Subprocess } from "bun";
import { hasBrowser, PageRig, untilPixelsMove } from "./page-rig.ts";
import { camera, until } from "./rings.ts";

const rig = new PageRig("page-away");
const large = { ...camera, shape: [48, 64, 3], rate: 30 };
const alert = () => rig.page.getByRole("alert");
const canvas = () => rig.stage("cam").locator("canvas").first();
const freshness = () => rig.stage("cam").getAttribute("data-fresh");

describe.skipIf(!hasBrowser)("when nobody answers", () => {
  let writer: Subprocess;

  beforeAll(async () => {
    await rig.open();
    writer = await rig.rings.producer("cam", large);
    await rig.page.goto(rig.url);
    await rig.tile("cam").getByText("live").waitFor();
    await untilPixelsMove(canvas());
  });

  afterAll(() => rig.close());

  test("a hub that hangs: the picture is grey and says how old it is; then it lives again", async () => {
    await until(async () => (await freshness()) === "yes");
    rig.hub.kill("SIGSTOP");
    await alert().getByText("it takes connections and does not answer").waitFor();
    await until(async () => (await freshness()) === "no");
    await rig
      .stage("cam")
      .getByText(/^\d+ s old: the hub does not answer$/)
      .waitFor();
    expect(
      await canvas().evaluate(
        (element) => getComputedStyle(element.closest(".picture") ?? element).filter,
      ),
    ).toBe("grayscale(1)");
    expect(await rig.tile("cam").getByText("unknown").isVisible()).toBeTrue();
    rig.hub.kill("SIGCONT");
    await until(async () => (await alert().textContent()) === "");
    await until(async () => (await freshness()) === "yes");
    await untilPixelsMove(canvas());
  });

  test("a hub that is killed and started again: told, and back without a hand", async () => {
    await rig.stopHub("SIGKILL");
    await alert().getByText("The hub has been away since").waitFor();
    await rig
      .stage("cam")
      .getByText(/^\d+ s old: the hub does not answer$/)
      .waitFor();
    await until(async () => (await rig.page.title()) === "streamem: hub away");
    await rig.startAgain();
    await until(async () => (await alert().textContent()) === "");
    expect(await rig.page.getByText("lets no WebSocket through").count()).toBe(0);
    await until(async () => (await freshness()) === "yes");
    await untilPixelsMove(canvas());
    rig.rings.writer("afterwards", camera);
    await rig.tile("afterwards").waitFor();
  });

  test("a writer that hangs: its stream stalls, and its picture is no longer called live", async () => {
    writer.kill("SIGSTOP");
    await rig.tile("cam").getByText("stalled").waitFor();
    await rig
      .stage("cam")
      .getByText(/^\d+ s old: no frame since$/)
      .waitFor();
    writer.kill("SIGCONT");
    await rig.tile("cam").getByText("live", { exact: true }).waitFor();
    await until(async () => (await freshness()) === "yes");
  });

  test("a dead writer's picture stays, and is marked", async () => {
    writer.kill("SIGKILL");
    await rig.tile("cam").getByText("dead", { exact: true }).waitFor();
    await rig
      .stage("cam")
      .getByText(/old: its writer is gone$/)
      .waitFor();
    await rig.page.getByRole("status").getByText("1 dead").waitFor();
  });
});
