/** A sensor process's side of its controls: answers each question of the hub, whatever its kind does. */
import { ControlError, type Controls } from "../../sensors/sensor.ts";
import type { ControlQuestion, FromSensor } from "./sensor-messages.ts";

export interface ControlAnswers {
  offer(controls: Controls): void;
  answer(question: ControlQuestion): Promise<void>;
}

export function createControlAnswers(send: (message: FromSensor) => void): ControlAnswers {
  let offered: Controls | null = null;

  const state = async (question: ControlQuestion) => {
    if (!offered) {
      const words = "The sensor has just been started and offers no controls yet.";
      throw new ControlError(words, { reason: "unavailable" });
    }
    return question.ask === "get" ? offered.get() : offered.set(question.values);
  };

  return {
    offer(controls) {
      send({ type: "controls", schema: controls.schema });
      offered = controls;
    },
    async answer(question) {
      const { id } = question;
      try {
        send({ type: "control-state", id, values: await state(question) });
      } catch (error) {
        const { message: words, reason } = asControlError(error, send);
        send({ type: "control-refusal", id, words, reason });
      }
    },
  };
}

/** What a kind did not foresee is no reason to end its process, but to be mended. */
function asControlError(error: unknown, send: (message: FromSensor) => void): ControlError {
  if (error instanceof ControlError) return error;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  send({ type: "log", level: "error", words: `The controls failed: ${stack}`, properties: {} });
  return new ControlError(`The controls failed: ${message}`, { reason: "unavailable" });
}
