// Where doorbell sockets lie, and how a reader waits on one inside Bun's event loop.
import { chmodSync, chownSync, closeSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { RingError } from "./ffi.ts";

/** Who else may connect: a gid, or undefined for nobody. */
export interface FolderOptions {
  group?: number | undefined;
  directory?: string | undefined;
}

function candidates({ group, directory }: FolderOptions): string[] {
  const own = directory ?? process.env.STREAMEM_DIR;
  if (own) return [own];
  const uid = process.geteuid?.() ?? 0;
  const session = process.env.XDG_RUNTIME_DIR;
  return [
    ...(session && group === undefined ? [join(session, "streamem")] : []), // 0700: no place for a group
    "/run/streamem",
    `/tmp/streamem-${uid}`,
  ];
}

function prepare(folder: string, group: number | undefined): string | null {
  const uid = process.geteuid?.() ?? 0;
  try {
    mkdirSync(folder, { mode: group === undefined ? 0o700 : 0o750 });
    if (group !== undefined) {
      chownSync(folder, -1, group);
      chmodSync(folder, 0o750);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EEXIST") return `cannot be made (${code})`;
  }
  const status = lstatSync(folder); // not stat: in /tmp anybody may have put a link there
  if (!status.isDirectory()) return "is no folder";
  if (status.uid !== uid && status.uid !== 0) return `belongs to uid ${status.uid}`;
  if (status.uid !== uid && uid !== 0) return "belongs to root, and this process is not";
  if (status.mode & 0o002) return "can be written by everybody";
  return null;
}

/**
 * The folder for doorbell sockets: STREAMEM_DIR, else $XDG_RUNTIME_DIR/streamem (not with a group), else
 * /run/streamem, else /tmp/streamem-<uid>. Made if missing (0700, with a group 0750); never deleted, since it may
 * be a bind mount. Throws RingError EACCES that says why each candidate was refused.
 */
export function doorbellFolder(options: FolderOptions): string {
  const refused: string[] = [];
  for (const folder of candidates(options)) {
    const why = prepare(folder, options.group);
    if (why === null) return folder;
    refused.push(`${folder} ${why}`);
  }
  throw new RingError(
    "EACCES",
    `no folder for the doorbell sockets: ${refused.join("; ")}. Set STREAMEM_DIR to a folder of your own (mode 0700)`,
  );
}

/** Waits until a descriptor becomes readable, any number of times, without a thread. */
export class EventWatch {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #waiting: (() => void) | null = null;
  #rung = false;
  #ended = false;

  /** Takes `fd`, a duplicate that nobody else closes. */
  constructor(readonly fd: number) {
    this.#reader = Bun.file(fd).stream().getReader();
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      while (!(await this.#reader.read()).done) this.#ring();
    } catch {
      // the descriptor was closed by close() below or its writer is gone: both end the watch
    }
    this.#ended = true;
    this.#ring();
  }

  #ring(): void {
    this.#rung = true;
    this.#waiting?.();
  }

  /** Resolves at the next event, or after `timeoutMs`. Events between two waits count as one. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#rung || this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
        if (this.#rung && !this.#ended) this.#waiting();
      });
      this.#waiting = null;
    }
    this.#rung = false;
  }

  close(): void {
    void this.#reader.cancel().catch(() => undefined);
    try {
      closeSync(this.fd);
    } catch {
      // the stream closed it first
    }
  }
}
