/**
 * A headset that is not in the network is no headset without its app: Bun gives one code for both.
 *
 * To see it fail: answer the loss as it is in `whyNotMade` of client/connection.ts.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { skipping } from "./skipping.ts";

const program = join(import.meta.dir, "fixtures/try-host.ts");
/** Of a network that is for documents only. */
const nobody = "192.0.2.9";
/** A cable whose other end nobody holds. */
const alone =
  "ip link set lo up && ip link add near type veth peer name far && ip addr add 192.0.2.1/24 dev near && ip link set near up && ip link set far up";
const apart = (prepare: string) => ["unshare", "-n", "sh", "-c", `${prepare} && exec "$@"`, "sh"];
const canBeApart = Bun.spawnSync([...apart(alone), "true"], { stderr: "ignore" }).success;
if (!canBeApart) {
  skipping("a network with nobody in it", "it takes root, unshare and ip (Debian: iproute2)");
}

function reason(wrapper: string[], host: string, port: string): string {
  const done = Bun.spawnSync([...wrapper, process.execPath, program, host, port]);
  return done.stdout.toString().trim();
}

test("nothing listens on the port: refused", () => {
  expect(reason([], "127.0.0.1", "1")).toBe("refused");
});

describe.skipIf(!canBeApart)("in a network of its own", () => {
  test("nothing listens on the port: refused", () => {
    expect(reason(apart(alone), "127.0.0.1", "3809")).toBe("refused");
  });

  test("nobody has the address: unreachable", () => {
    expect(reason(apart(alone), nobody, "3809")).toBe("unreachable");
  });

  test("no route leads there: unreachable", () => {
    expect(reason(apart("ip link set lo up"), nobody, "3809")).toBe("unreachable");
  });
});
