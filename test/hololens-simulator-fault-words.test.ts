// How faults are said on the command line, and what is said about those that are none.
import { expect, test } from "bun:test";
import { faultKinds, parseFault } from "../sensors/hololens/simulator/fault-kinds.ts";

const words: [text: string, fault: object][] = [
  ["pv:delay", { port: "pv", kind: "delay" }],
  ["pv:delay:250", { port: "pv", kind: "delay", value: 250 }],
  ["all:stall:5@20", { port: "all", kind: "stall", value: 5, afterSeconds: 20 }],
  [
    "remote-configuration:reset@0.5",
    { port: "remote-configuration", kind: "reset", afterSeconds: 0.5 },
  ],
  ["all:version:1.0.34", { port: "all", kind: "version", value: "1.0.34" }],
];
for (const [text, fault] of words) {
  test(`${text} is understood`, () => expect(parseFault(text)).toEqual(fault as never));
}

const wrong = [
  ["", "names no stream"],
  ["pv", "names no stream"],
  ["tv:stall", "names no stream"],
  ["pv:toString", "is no fault"],
  ["pv:cut:3", "has no value"],
  ["pv:delay:-1", "a number from 0"],
  ["pv:delay:", "a number from 0"],
  ["pv:stall:1e9", "a number from 0 to 1000000"],
  ["pv:stall:1@x", "after @"],
  ["all:version:new", "is no version"],
  ["pv:stall:1@2@3", "names no stream"],
] as const;
for (const [text, why] of wrong) {
  test(`"${text}" is refused in words`, () => expect(() => parseFault(text)).toThrow(why));
}

test("every fault has words", () => {
  for (const { words } of Object.values(faultKinds)) expect(words.length).toBeGreaterThan(10);
});
