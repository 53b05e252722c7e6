/** Says once, loudly, what is not tested here and why. */
export function skipping(what: string, why: string): void {
  console.warn(`\n*** SKIPPED: ${what}: ${why}\n`);
}
