/**
 * The code to paste: the shortest program in each language that reads a stream's newest frame, again and
 * again. test/page-snippets.test.ts runs each as it stands.
 */
import type { StreamBody } from "../../api/schemas.ts";

export interface Snippet {
  language: string;
  /** What to save it as, in streamem's folder. */
  file: string;
  /** What to type there. */
  run: string;
  code: string;
}

type Named = Pick<StreamBody, "name" | "kind" | "shm">;

const usualPrefix = "streamem";

export function snippetsFor(stream: Named): Snippet[] {
  const prefix = stream.shm.object.slice(1, -(stream.name.length + 1));
  const other = prefix === usualPrefix ? null : prefix;
  return [python(stream, other), c(stream, other), typescript(stream, other)];
}

function python({ name, kind }: Named, prefix: string | null): Snippet {
  const from = prefix ? `, prefix="${prefix}"` : "";
  const shown = kind === "message" ? "frame.message" : "frame.shape";
  return {
    language: "Python",
    file: "read.py",
    run: "PYTHONPATH=clients/python python3 read.py",
    code: `import streamem

with streamem.open("${name}", timeout=5${from}) as stream:
    while True:
        frame = stream.newest()      # waits for one that this reader has not had
        print(frame.seq, ${shown}, frame.age_ns / 1e6, "ms old,", frame.missed, "missed", flush=True)
`,
  };
}

function c({ name }: Named, prefix: string | null): Snippet {
  const from = prefix ? `"${prefix}"` : "NULL";
  return {
    language: "C",
    file: "read.c",
    run: "cc -O2 -pthread -I clients/c read.c -o read && ./read",
    code: `#include "streamem.h"

int main(void) {
  streamem_error error;
  streamem_reader *reader;
  if (streamem_open(&reader, ${from}, "${name}", 5000, &error) < 0) {
    fprintf(stderr, "%s\\n", error.text);
    return 1;
  }
  for (;;) {
    streamem_frame frame;
    if (streamem_newest(reader, &frame, 5000) != STREAMEM_FRAME) continue;
    double age_ms = (double)(streamem_now_ns() - frame.publish_time_ns) / 1e6;
    printf("%llu %llu bytes, %.3f ms old, %llu missed\\n", (unsigned long long)frame.sequence,
           (unsigned long long)frame.payload_bytes, age_ms, (unsigned long long)frame.missed);
    fflush(stdout);
  }
}
`,
  };
}

function typescript({ name, kind }: Named, prefix: string | null): Snippet {
  const from = prefix ? `, prefix: "${prefix}"` : "";
  const shown = kind === "message" ? "JSON.stringify(frame.message)" : "frame.shape";
  return {
    language: "TypeScript",
    file: "read.ts",
    run: "bun read.ts",
    code: `import { openReader } from "./src/ring.ts";

const stream = await openReader("${name}", { timeoutMs: 5000${from} });
for (;;) {
  const frame = await stream.newest();      // waits for one that this reader has not had
  if (frame) console.log(frame.seq, ${shown}, Number(frame.ageNs) / 1e6, "ms old,", frame.missed, "missed");
}
`,
  };
}
