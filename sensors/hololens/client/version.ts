/** Which versions of the headset's app are known to speak this protocol. */
import { atLeast } from "./parts.ts";

const known = [1, 0, 37];
const oldest = [1, 0, 34];

/** A sentence where it is not the one this was written for. */
export function versionWarning(version: readonly number[]): string | null {
  const said = `hl2ss ${version.join(".")} runs on the headset`;
  if (!atLeast(version, oldest)) {
    return `${said}: older than ${oldest.join(".")}, its streams are laid out differently; install ${known.join(".")}`;
  }
  const same = known.every((part, i) => version[i] === part);
  return same
    ? null
    : `${said}: ${known.join(".")} is what this was written for, others may differ`;
}
