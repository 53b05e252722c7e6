/** The present, twice a second: ages on the page grow also while nothing is heard. */
import { signal } from "@preact/signals";

export const nowMs = signal(performance.now());
const periodMs = 500;

const tick = () => {
  nowMs.value = performance.now();
};
setInterval(tick, periodMs);
// A page that comes back must not show for half a second what was live when it was left.
document.addEventListener("visibilitychange", tick);
