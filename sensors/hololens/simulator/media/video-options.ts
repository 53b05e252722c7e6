/** What of a video configuration decides how pictures are coded. */
import { type Option, optionKeys } from "../../wire/codes.ts";
import { usualStrideMask } from "../../wire/raw-image.ts";

/** Media Foundation's 0 lets the encoder choose: a second, as clients ask for. */
export function gopSizeOf(options: readonly Option[], rate: number): number {
  const asked = optionValue(options, optionKeys.gopSize) ?? 0n;
  const largest = 1_000_000n;
  if (asked === 0n) return Math.max(1, Math.round(rate));
  return Number(asked < largest ? asked : largest);
}

/** A mask is one less than a power of two; anything else counts as the usual one. */
export function strideMaskOf(options: readonly Option[]): number {
  const mask = Number(optionValue(options, optionKeys.strideMask) ?? BigInt(usualStrideMask));
  const usable = mask <= 0xfff && ((mask + 1) & mask) === 0;
  return usable ? mask : usualStrideMask;
}

/** Values are 32 bits here; the last one counts. */
function optionValue(options: readonly Option[], wanted: bigint): bigint | undefined {
  const option = options.findLast(({ key }) => key === wanted);
  return option && option.value & 0xffff_ffffn;
}
