// Answers the ring files named on the command line, a line of JSON each: see ../vectors/README.md.
import { basename, resolve } from "node:path";
import { open } from "./streamem.mjs";

function frame(one) {
  if (!one) return null;
  const { seq, shape, clockEpoch, deviceTime, captureTimeNs, timeErrorNs, publishTimeNs } = one;
  const { publishUtcNs, fieldBytes, fields: fieldValues, data, refersTo } = one;
  const times = { deviceTime, captureTimeNs, timeErrorNs, publishTimeNs, publishUtcNs };
  const [fields, payload] = [fieldBytes, data].map((bytes) => Buffer.from(bytes).toString("hex"));
  return { seq, shape, clockEpoch, ...times, fields, fieldValues, payload, refersTo };
}

async function answer(path) {
  try {
    const reader = await open(resolve(path));
    const { generation, descriptor, state } = reader;
    const latest = frame(reader.latest());
    const last = [1, 2, 3].map((n) => [n, reader.last(n).map(({ seq }) => seq)]);
    reader.close();
    const retired = state === "retired";
    return { open: "ok", generation, retired, descriptor, latest, last: Object.fromEntries(last) };
  } catch (error) {
    return { open: "error", error: error.message };
  }
}

for (const path of process.argv.slice(2)) {
  const line = { file: basename(path), ...(await answer(path)) };
  const text = (_, value) => (typeof value === "bigint" ? String(value) : value);
  console.log(JSON.stringify(line, text));
}
