/** Publishes JSON messages, ten a second: `publish.ts NAME [COUNT]`. */
import { createWriter } from "../../../src/ring.ts";

const [name = "", count = "10"] = process.argv.slice(2);
using writer = createWriter(name, { kind: "message" });
for (let n = 1; n <= Number(count); n++) {
  writer.publish({ n });
  console.log(`published ${n}`);
  await Bun.sleep(100);
}
