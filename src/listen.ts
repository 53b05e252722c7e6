/** Opens the HTTP port, or says why not, by whom, and which flag helps. */
import { type Server, serve } from "bun";
import { liveSockets } from "./api/live.ts";
import type { Viewer } from "./live/viewer.ts";
import { portOwner } from "./port-owner.ts";

export type HubServer = Server<Viewer>;
type Fetch = (request: Request, server: HubServer) => Response | Promise<Response>;

export class ListenError extends Error {
  override name = "ListenError";
}

export function listen(host: string, port: number, fetch: Fetch): HubServer {
  try {
    // Event streams stay open for as long as somebody looks at them.
    return serve({ hostname: host, port, fetch, idleTimeout: 0, websocket: liveSockets });
  } catch (error) {
    const code = (error as { code?: string }).code;
    throw new ListenError(listenWords(host, port, code, error as Error), { cause: error });
  }
}

function listenWords(host: string, port: number, code: string | undefined, error: Error): string {
  switch (code) {
    case "EADDRINUSE": {
      const owner = portOwner(port);
      const who = owner
        ? `by process ${owner.pid} (${owner.command})`
        : "by a process of another user, or outside this container";
      return `Port ${port} is taken ${who}. End that one, or choose another with --port.`;
    }
    case "EACCES":
      return `This user may not open port ${port}. Choose one above 1023 with --port.`;
    case "EADDRNOTAVAIL":
    case "EINVAL":
      return `"${host}" is no address of this machine. Choose one with --host, for instance 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}, port ${port}: ${error.message}`;
  }
}
