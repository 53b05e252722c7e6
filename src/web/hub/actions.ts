/** What the page asks the hub to do, and what it answers when it does not. */

export type SensorAction = "start" | "stop" | "restart";

/** Stopping waits until the sensor's processes are gone, which may take a few seconds. */
const patienceMs = 15_000;

/** Resolves with the body; rejects with an Error whose words are for the user. */
export async function post<Body>(path: string, body: unknown = {}): Promise<Body> {
  return answered(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

export async function get<Body>(path: string): Promise<Body> {
  return answered(path, {});
}

async function answered<Body>(path: string, init: RequestInit): Promise<Body> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(patienceMs) });
  } catch (error) {
    const late = (error as Error).name === "TimeoutError";
    const why = late ? `has not answered for ${patienceMs / 1000} s` : "does not answer";
    throw new Error(`The hub ${why}`);
  }
  if (response.ok) return (await response.json()) as Body;
  const text = await response.text();
  throw new Error(detailOf(text) ?? `The hub answers with ${response.status}`);
}

function detailOf(text: string): string | null {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === "string" ? detail : null;
  } catch {
    return null;
  }
}
