/** Prints the newest frame's sequence, shape, dtype and age: `latest.ts NAME`. */
import { openReader } from "../../../src/ring.ts";

const [name = ""] = process.argv.slice(2);
using reader = await openReader(name, { timeoutMs: 5000 });
const frame = reader.latest();
if (frame) {
  const dtype = typeof frame.dtype === "string" ? frame.dtype : "record";
  const ageMs = (Number(frame.ageNs) / 1e6).toFixed(1);
  console.log(
    `sequence ${frame.seq} shape ${frame.shape.join("x")} dtype ${dtype} age_ms ${ageMs}`,
  );
} else console.log("no frame yet");
