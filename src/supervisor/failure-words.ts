/** Why a process ended, in words. */

export interface Ending {
  exitCode: number | null;
  signal: string | number | null;
  lastLines: string[];
}

const signalHints: Record<string, string> = {
  SIGKILL: "by somebody, or by the kernel because memory ran out",
  SIGBUS: "memory behind a mapping is gone: a file was cut short, or /dev/shm is full",
  SIGSEGV: "a fault in native code",
  SIGABRT: "native code gave up",
  SIGILL: "an instruction that this processor does not have",
  SIGTERM: "somebody asked it to end",
};

export function endingWords({ exitCode, signal, lastLines }: Ending): string {
  const hint = signal && signalHints[signal] ? ` (${signalHints[signal]})` : "";
  const how = signal ? `was ended by ${signal}${hint}` : `ended with exit code ${exitCode}`;
  const last = lastLines.length > 0 ? `; its last words:\n${lastLines.join("\n")}` : "";
  return `The process ${how}${last}`;
}
