/**
 * Whether anybody listens at an address, asked before libndi is: where a connection is refused it tries again
 * without a pause and takes a whole core for as long as that lasts.
 */
import { connect } from "../../hololens/client/connection.ts";
import { ConnectionLost, type LossReason } from "../../hololens/client/lost.ts";

export interface ReachOptions {
  signal: AbortSignal;
  timeoutMs: number;
}

/** With the number for the host's name, which is what libndi wants; or why not, as the end of a sentence. */
export type Reached = { address: string } | { why: string };

export async function reach(
  address: string,
  { signal, timeoutMs }: ReachOptions,
): Promise<Reached> {
  const [host, port] = address.split(":") as [string, string];
  try {
    const connection = await connect({
      ...{ host, port: Number(port), signal, connectMs: timeoutMs },
    });
    connection.destroy();
    return { address: `${connection.address}:${port}` };
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    return { why: whyNot[error.reason] ?? `cannot be connected to (${error.code})` };
  }
}

const whyNot: Partial<Record<LossReason, string>> = {
  "unknown-host": "is no name that this computer can resolve: give its IPv4 address",
  unreachable: "is out of reach: it is off, or this computer's network is gone",
  refused: "refuses the connection: nothing sends at that port now",
  "no-answer": "does not answer: it is off, or not in this network",
};
