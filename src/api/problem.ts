/** Errors as RFC 9457 asks for them: what was wrong, where, and what is allowed, for people and programs. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { logFor } from "../log/log.ts";

export const problemSchema = z
  .looseObject({
    type: z
      .string()
      .openapi({ description: "Tells kinds of problems apart; not meant to be opened" }),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: "What was wrong and what is allowed" }),
    instance: z.string().openapi({ description: "Where: the path of the request" }),
  })
  .openapi("Problem");

export type ProblemStatus = 400 | 403 | 404 | 405 | 406 | 409 | 413 | 415 | 422 | 426 | 500 | 503;

export interface ProblemOptions {
  status: ProblemStatus;
  /** Last part of `type`, in words joined by hyphens. */
  kind: string;
  title: string;
  detail: string;
  /** More members for programs, for instance the names that are known. */
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export class Problem extends Error {
  override name = "Problem";

  constructor(readonly options: ProblemOptions) {
    super(options.detail);
  }
}

const log = logFor("api");

export function problemResponse(c: Context, error: Error): Response {
  const problem = asProblem(error, c.req.path);
  const { status, headers } = problem.options;
  return c.body(JSON.stringify(problemBody(problem, c.req.path)), status, {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    ...headers,
  });
}

/** What is sent of a problem that arose at `instance`. */
export function problemBody({ options }: Problem, instance: string) {
  const { status, kind, title, detail, members } = options;
  return { type: `urn:streamem:problem:${kind}`, title, status, detail, instance, ...members };
}

function asProblem(error: Error, path: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException && error.status < 500) {
    return new Problem({
      status: 400,
      kind: "bad-request",
      title: "Bad request",
      detail: error.message,
    });
  }
  log.error(`${path} failed: ${error.stack ?? error.message}`);
  const detail = "The hub failed at this request and goes on; its log says how.";
  return new Problem({ status: 500, kind: "internal", title: "Internal error", detail });
}

/** For the `responses` of a route. */
export function problems(descriptions: Partial<Record<ProblemStatus, string>>) {
  const content = { "application/problem+json": { schema: problemSchema } };
  return Object.fromEntries(
    Object.entries(descriptions).map(([status, description]) => [status, { description, content }]),
  );
}
