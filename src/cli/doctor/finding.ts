/** One thing that was looked at: how it is, and what to do where it is not well. */
import type { Config } from "../../config/config.ts";

export interface Finding {
  about: string;
  /** `broken`: the hub, or a sensor of its configuration, cannot work like this. */
  state: "ok" | "warning" | "broken";
  words: string;
  remedy: string | null;
}

/** What the hub would be started with. */
export type HubConfig = Pick<Config, "file" | "host" | "port" | "prefix" | "group" | "sensors">;

export function ok(about: string, words: string): Finding {
  return { about, state: "ok", words, remedy: null };
}

export function warning(about: string, words: string, remedy: string): Finding {
  return { about, state: "warning", words, remedy };
}

export function broken(about: string, words: string, remedy: string): Finding {
  return { about, state: "broken", words, remedy };
}

/** An error of ours is a sentence of what is wrong, and then what to do. */
export function brokenBy(about: string, error: unknown, otherwise: string): Finding {
  const { message } = error as Error;
  const [, words = message, remedy = otherwise] = /^(.*?[^.])\. ([A-Z].*)$/s.exec(message) ?? [];
  return broken(about, words, remedy);
}
