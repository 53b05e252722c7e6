/** So many viewers of the streams tile-1 to tile-8, previews 640 wide, as the page asks for them. Speaks the protocol of program.h. */
import { Packr, Unpackr } from "msgpackr";
import type { LiveMessage } from "../src/api/live-messages.ts";

const [url = "", count = "8"] = process.argv.slice(2);
const streams = 8;
const windowMs = 3000;
const contender = `${count} viewers`;
const [packr, unpackr] = [new Packr({ useRecords: false }), new Unpackr({ useRecords: false })];
const got = Uint8Array.from(packr.pack({ type: "got" }));

const frames = Array.from({ length: Number(count) }, () => 0);
let sentAfterNs: number[] = [];

const sockets = frames.map((_, viewer) => {
  const address = `${url.replace("http", "ws")}/api/v1/streams/tile-${(viewer % streams) + 1}/live`;
  const socket = new WebSocket(`${address}?payload=preview&maxWidth=640&window=2`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    const message = unpackr.unpack(new Uint8Array(data)) as LiveMessage;
    if (message.type !== "frame") return;
    socket.send(got);
    frames[viewer] = (frames[viewer] as number) + 1;
    sentAfterNs.push(Number(message.sentTimeNs - message.publishTimeNs));
  };
  return new Promise((resolve) => {
    socket.onopen = resolve;
  });
});
await Promise.all(sockets);
console.log("{}");

for await (const _ of console) {
  frames.fill(0);
  sentAfterNs = [];
  const start = performance.now();
  await Bun.sleep(windowMs);
  const seconds = (performance.now() - start) / 1000;
  const rates = frames.map((count) => count / seconds);
  const series = [
    { case: "frames/s of a viewer", contender, condition: "", samples: rates },
    { case: "published to sent", contender, condition: "", samples: sentAfterNs },
  ];
  console.log(JSON.stringify({ series }));
}
process.exit(0);
