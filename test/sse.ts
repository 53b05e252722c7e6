/** Server-sent events as a client sees them. */
import { expect } from "bun:test";

export interface SentEvent {
  event: string;
  id: string;
  data: Record<string, unknown>;
}

/** The events of a response that has just begun; lines that only keep it alive are left out. */
export async function readEvents(response: Response) {
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  const block = async (): Promise<string> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end >= 0) {
        const found = text.slice(0, end);
        text = text.slice(end + 2);
        return found;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error("the events ended");
      text += value;
    }
  };
  expect(await block()).toStartWith("retry: 1000");
  return {
    async next(): Promise<SentEvent> {
      const lines = (await block()).split("\n");
      if (lines.every((line) => line.startsWith(":"))) return this.next();
      const value = (field: string) =>
        lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2) ?? "";
      return { event: value("event"), id: value("id"), data: JSON.parse(value("data")) };
    },
    close: () => reader.cancel(),
  };
}
