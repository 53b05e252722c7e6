/** The hub's side of a sensor's controls: questions to the process that offers them, each with an end. */
import { ControlError, type Controls } from "../../sensors/sensor.ts";
import { redact } from "../log/redact.ts";
import type { ControlAnswer, ControlQuestion } from "./sensor-messages.ts";

export interface ControlCallsOptions {
  /** Of the sensor, for messages. */
  name: string;
  /** After which a question is given up. */
  answerMs: number;
  /** False where no process runs that could answer. */
  send(question: ControlQuestion): boolean;
}

interface Pending {
  resolve(values: Record<string, unknown>): void;
  reject(error: ControlError): void;
  timer: ReturnType<typeof setTimeout>;
}

export class ControlCalls {
  /** Null until a process has offered controls; kept when it ends, since its successor offers the same. */
  #schema: Record<string, unknown> | null = null;
  readonly #options: ControlCallsOptions;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(options: ControlCallsOptions) {
    this.#options = options;
  }

  offered(schema: Record<string, unknown>): void {
    this.#schema = schema;
  }

  /** Null where none were offered so far. */
  get controls(): Controls | null {
    if (!this.#schema) return null;
    return {
      schema: this.#schema,
      get: () => this.#ask({ ask: "get" }),
      set: (values) => this.#ask({ ask: "set", values }),
    };
  }

  hear(answer: ControlAnswer): void {
    const pending = this.#settle(answer.id);
    if (answer.type === "control-state") pending?.resolve(answer.values);
    else pending?.reject(new ControlError(redact(answer.words), { reason: answer.reason }));
  }

  /** The process is gone: nobody will answer any more. */
  abandon(): void {
    const words = `Sensor "${this.#options.name}" ended before it answered; what was asked for may have been applied.`;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(unavailable(words));
  }

  #ask(question: { ask: "get" } | { ask: "set"; values: unknown }) {
    const { name, answerMs, send } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const id = ++this.#lastId;
    const late = `Sensor "${name}" has not answered for ${answerMs / 1000} s; what was asked for may still be applied.`;
    const timer = setTimeout(() => this.#settle(id)?.reject(unavailable(late)), answerMs);
    this.#pending.set(id, { resolve, reject, timer });
    if (!send({ type: "control", id, ...question })) {
      const words = `Sensor "${name}" does not run now; its controls answer once it does.`;
      this.#settle(id)?.reject(unavailable(words));
    }
    return promise;
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    clearTimeout(pending?.timer);
    this.#pending.delete(id);
    return pending;
  }
}

function unavailable(words: string): ControlError {
  return new ControlError(words, { reason: "unavailable" });
}
