// node latest.mjs NAME prints what the newest frame of a stream is.
import { open } from "../streamem.mjs";

const [name] = process.argv.slice(2);
if (!name) throw new Error("usage: latest.mjs NAME");
const reader = await open(name);
const frame = reader.latest();
if (frame) {
  const { seq, shape, dtype, ageNs } = frame;
  const type = typeof dtype === "string" ? dtype : JSON.stringify(dtype);
  const ageMs = (Number(ageNs) / 1e6).toFixed(1);
  console.log(`sequence ${seq} shape ${shape?.join("x")} dtype ${type} age_ms ${ageMs}`);
} else console.log("no frame yet");
reader.close();
