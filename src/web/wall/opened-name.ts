/** Which stream is opened, as the address says it: it can be sent to somebody, and "back" closes it. */
import { signal } from "@preact/signals";

export const openedName = signal(nameInAddress());

export function open(name: string): void {
  window.location.hash = name;
}

export function closeOpened(): void {
  history.pushState(null, "", window.location.pathname);
  openedName.value = nameInAddress();
}

function nameInAddress(): string {
  return decodeURIComponent(window.location.hash.slice(1));
}

for (const event of ["hashchange", "popstate"]) {
  window.addEventListener(event, () => {
    openedName.value = nameInAddress();
  });
}
