/** One connection to the port that answers: commands in their order, until the client has no more. */
import { ProtocolError } from "../wire/protocol-error.ts";
import { ClientGone, type Connection } from "./connection.ts";
import { obey, readKnownCommand } from "./controls.ts";
import type { Device } from "./device.ts";

const port = "remote-configuration";
/** From a command's first byte to its last. Between two commands a client may wait for as long as it likes. */
const commandLimitMs = 10_000;

export async function serveRemote(
  device: Device,
  connection: Connection,
  log: (words: string) => void,
): Promise<void> {
  try {
    await obeyAll(device, connection);
  } catch (error) {
    if (error instanceof ProtocolError) log(`refused: ${error.message}`);
    else if (!(error instanceof ClientGone)) log(`${port}: ${(error as Error).stack}`);
  }
}

async function obeyAll(device: Device, connection: Connection): Promise<void> {
  const { faults } = device;
  const isSilent = () => faults.find("sleep", port) !== null || faults.find("stall", port) !== null;
  while (!connection.isClosed) {
    let limit: Timer | undefined;
    const begun = () => {
      limit = setTimeout(() => connection.end(), commandLimitMs);
    };
    try {
      const command = await connection.read(readKnownCommand(device, begun));
      if (!command) return;
      await faults.until(() => connection.isClosed || !isSilent());
      await travel(device, connection);
      const reply = obey(device, command);
      if (reply) await answer(device, connection, reply);
    } finally {
      clearTimeout(limit);
    }
  }
}

/** One way of a slow network: half of what there and back take. */
async function travel({ faults }: Device, connection: Connection): Promise<void> {
  const delay = Number(faults.find("delay", port) ?? 0);
  const lagMs = delay + Number(faults.find("jitter", port) ?? 0) * Math.random();
  if (lagMs > 0) await connection.sleep(lagMs / 2);
}

async function answer(device: Device, connection: Connection, reply: Uint8Array): Promise<void> {
  const { faults } = device;
  await travel(device, connection);
  if (faults.take("reset", port) !== null) connection.reset();
  if (faults.take("cut", port) === null) {
    await connection.write(reply);
    return;
  }
  await connection.write(reply.subarray(0, reply.byteLength >> 1));
  connection.end();
}
