/** What a viewer may ask for, checked: in the query of its upgrade, and in messages. */
import { Unpackr } from "msgpackr";
import { z } from "zod";
import type { LiveRequest, Wish } from "../api/live-messages.ts";
import { Problem } from "../api/problem.ts";

const wishSchema = z.strictObject({
  payload: z.enum(["none", "raw", "preview"]),
  maxWidth: z.int().min(16).max(4096),
  maxRate: z.number().min(0.1).max(1000).nullable(),
  window: z.int().min(1).max(64).nullable(),
}) satisfies z.ZodType<Wish>;

const requestSchema = z.discriminatedUnion("type", [
  wishSchema.partial().extend({ type: z.literal("wish") }),
  z.strictObject({ type: z.literal("got"), frames: z.int().min(1).max(64).optional() }),
  z.strictObject({ type: z.literal("clock"), id: z.number() }),
]) satisfies z.ZodType<LiveRequest>;

export const defaultWish: Wish = { payload: "none", maxWidth: 640, maxRate: null, window: null };

/** Of `?payload=preview&maxWidth=320`. Throws a {@link Problem} that names the key. */
export function wishOfQuery(query: Record<string, string>): Wish {
  const values = Object.entries(query).map(([key, text]) => {
    const number = text.trim() === "" ? Number.NaN : Number(text);
    return [key, key === "payload" ? text : number];
  });
  const parsed = wishSchema.partial().safeParse(Object.fromEntries(values));
  if (!parsed.success) throw refused("query", parsed.error);
  return { ...defaultWish, ...parsed.data };
}

// Not the package's default one: with records a message could define classes that later ones are made of.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** Of a message. Throws a {@link Problem}. */
export function requestOf(message: string | Uint8Array): LiveRequest {
  if (typeof message === "string") {
    throw badMessage("This one is text; a message is msgpack of a map, in a binary frame.");
  }
  const parsed = requestSchema.safeParse(unpacked(message));
  if (!parsed.success) throw refused("message", parsed.error);
  return parsed.data;
}

function unpacked(message: Uint8Array): unknown {
  try {
    return unpackr.unpack(message);
  } catch (error) {
    throw badMessage(`This one is no msgpack: ${(error as Error).message}.`);
  }
}

function badMessage(why: string): Problem {
  return new Problem({
    status: 400,
    kind: "bad-live-message",
    title: "Bad message",
    detail: `${why} Allowed are maps with the type wish, got or clock.`,
  });
}

function refused(where: "query" | "message", error: z.ZodError): Problem {
  const words = z.prettifyError(error).replaceAll("\n", " ").replaceAll("✖ ", "");
  return new Problem({
    status: 400,
    kind: where === "query" ? "bad-query" : "bad-live-message",
    title: where === "query" ? "Bad query" : "Bad message",
    detail: `The ${where} is not what is allowed: ${words.trim()}. Allowed are payload (none, raw, preview), maxWidth (16 to 4096), maxRate (0.1 to 1000), window (1 to 64)${where === "query" ? "" : "; the types are wish, got and clock"}.`,
  });
}
