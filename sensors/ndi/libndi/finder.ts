/** What libndi sees on the network. It looks by itself from the moment it is made, and never blocks. */
import type { Ndi } from "./load.ts";
import { finderSettings, sourceBytes } from "./structs.ts";
import { type Handle, pointerAt, textAt } from "./symbols.ts";

export interface FoundSource {
  /** `MACHINE (Source)`. */
  name: string;
  /** `ip:port`. */
  address: string;
}

export interface FinderOptions {
  /** Sources of other groups are not seen. Default: `public`. */
  groups?: string[];
  /** Hosts that are asked beside those that make themselves heard. */
  extraIps?: string[];
}

export class Finder {
  readonly #ndi: Ndi;
  readonly #handle: Handle;
  readonly #count = new Uint32Array(1);

  constructor(ndi: Ndi, { groups = [], extraIps = [] }: FinderOptions = {}) {
    this.#ndi = ndi;
    const settings = finderSettings();
    settings.showLocal = 1;
    settings.groups = groups.join(",") || null;
    settings.extraIps = extraIps.join(",") || null;
    const handle = ndi.symbols.NDIlib_find_create_v2(settings.bytes);
    if (handle === null) throw new Error("NDIlib_find_create_v2 gave no finder");
    this.#handle = handle;
  }

  /** All that is known now. */
  sources(): FoundSource[] {
    const count = this.#count;
    const first = this.#ndi.symbols.NDIlib_find_get_current_sources(this.#handle, count);
    if (first === null) return [];
    // The array is libndi's until it is asked again, so that its texts are copied at once.
    return Array.from({ length: count[0] as number }, (_, i) => ({
      name: textAt(pointerAt(first, i * sourceBytes)) ?? "",
      address: textAt(pointerAt(first, i * sourceBytes + 8)) ?? "",
    }));
  }

  close(): void {
    this.#ndi.symbols.NDIlib_find_destroy(this.#handle);
  }
}
