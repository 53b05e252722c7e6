/** What the loss of a connection says about the headset as a whole, for the person who wears it. */
import type { Reach } from "./parts.ts";

/**
 * A sentence without its end. Null: it answers, or nothing was tried yet.
 *
 * @param port the one that was tried, with a simulator's offset
 */
export function hostWords(reach: Reach, host: string, port: number): string | null {
  switch (reach) {
    case "unknown-host":
      return `there is no host "${host}": give the headset's name or its IPv4 address as host`;
    case "unreachable":
      return `there is no way to ${host}: the headset is off, or its Wi-Fi or this computer's network is gone`;
    case "no-answer":
      return `${host} does not answer: the headset is off, or not in this network`;
    case "refused":
      return `the headset at ${host} runs no hl2ss app: start it there (nothing listens on port ${port})`;
    case "silent":
      return `the headset at ${host} is asleep: it takes connections, and its app answers nothing (port ${port}); put it on`;
    case "closed":
    case "reset":
      return `the app on the headset at ${host} has ended the connection: it was closed, or is too old (1.0.37 is known)`;
    default:
      return null;
  }
}
