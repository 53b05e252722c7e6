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
  return [python, c, typescript, node, rust, go].map((snippet) => snippet(stream, other));
}

type InLanguage = (stream: Named, prefix: string | null) => Snippet;

const python: InLanguage = ({ name, kind }, prefix) => {
  const from = prefix ? `, prefix="${prefix}"` : "";
  const shown = kind === "message" ? "frame.message()" : "frame.shape";
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
};

const c: InLanguage = ({ name, kind, shm }, prefix) => {
  const from = prefix ? `"${prefix}"` : "NULL";
  const text = kind === "message";
  const declared = text ? `\n    char text[${shm.payloadCapacity + 1}];` : "";
  const copied = text
    ? "\n    if (streamem_copy(&frame, text, sizeof text) < 0) continue;\n    text[frame.payload_bytes] = 0;"
    : "";
  const shown = text ? "%s" : "%llu bytes";
  const value = text ? "text" : "(unsigned long long)frame.payload_bytes";
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
    streamem_frame frame;${declared}
    if (streamem_newest(reader, &frame, 5000) != STREAMEM_FRAME) continue;${copied}
    double age_ms = (double)(streamem_now_ns() - frame.publish_time_ns) / 1e6;
    printf("%llu ${shown}, %.3f ms old, %llu missed\\n", (unsigned long long)frame.sequence,
           ${value}, age_ms, (unsigned long long)frame.missed);
    fflush(stdout);
  }
}
`,
  };
};

const typescript: InLanguage = ({ name, kind }, prefix) => {
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
};

const node: InLanguage = ({ name, kind }, prefix) => {
  const from = prefix ? `, prefix: "${prefix}"` : "";
  const shown = kind === "message" ? "JSON.stringify(frame.message)" : "frame.shape";
  return {
    language: "Node",
    file: "read.mjs",
    run: "node read.mjs",
    code: `import { open } from "./clients/node/streamem.mjs";

const stream = await open("${name}", { timeoutMs: 5000${from} });
for (;;) {
  const frame = await stream.newest();      // waits for one that this reader has not had
  if (frame) console.log(frame.seq, ${shown}, Number(frame.ageNs) / 1e6, "ms old,", frame.missed, "missed");
}
`,
  };
};

const rust: InLanguage = ({ name, kind }, prefix) => {
  const open = prefix ? `open_in(Some("${prefix}"), "${name}"` : `open("${name}"`;
  const shown = kind === "message" ? "frame.text()?" : "frame.shape()";
  return {
    language: "Rust",
    file: "clients/rust/examples/read.rs",
    run: "cargo run --manifest-path clients/rust/Cargo.toml --example read",
    code: `use std::time::Duration;
use streamem::{Error, Reader};

fn main() -> Result<(), Error> {
    let mut stream = Reader::${open}, Duration::from_secs(5))?;
    while let Some(frame) = stream.newest(None) {   // waits for one that this reader has not had
        let age_ms = frame.age_ns() as f64 / 1e6;
        println!("{} {:?} {:.3} ms old, {} missed", frame.sequence(), ${shown}, age_ms, frame.missed());
    }
    Ok(())
}
`,
  };
};

const go: InLanguage = ({ name, kind }, prefix) => {
  const from = prefix ? `Prefix: "${prefix}", ` : "";
  const [declared, shown] =
    kind === "message"
      ? [
          "\n\t\tvar message any\n\t\tif err := frame.Message(&message); err != nil {\n\t\t\tcontinue\n\t\t}",
          "message",
        ]
      : ["", "frame.Shape"];
  return {
    language: "Go",
    file: "clients/go/samples/read/main.go",
    run: "cd clients/go && go run ./samples/read",
    code: `package main

import (
	"fmt"
	"log"
	"time"

	"streamem"
)

func main() {
	stream, err := streamem.Open("${name}", streamem.Options{${from}Timeout: 5 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	for {
		frame := stream.Newest(streamem.Forever) // waits for one that this reader has not had${declared}
		fmt.Println(frame.Seq, ${shown}, frame.Age(), "old,", frame.Missed, "missed")
	}
}
`,
  };
};
