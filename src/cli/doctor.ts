/** `streamem doctor`: looks at all that the hub needs, and says what to do. */
import { Command } from "commander";
import { type Config, ConfigError, loadConfig, parseConfig } from "../config/config.ts";
import { broken, type Finding, ok } from "./doctor/finding.ts";
import { bunVersion, nativeShim, nodeAv, sharedMemoryFolder } from "./doctor/tools.ts";
import { exitCode, type GlobalOptions } from "./options.ts";

export const command = new Command("doctor").action(async () => {
  const options = command.optsWithGlobals<GlobalOptions>();
  const findings = await examine(options);
  const isWell = findings.every(({ state }) => state !== "broken");
  console.log(options.json ? JSON.stringify({ ok: isWell, findings }) : report(findings));
  process.exit(isWell ? exitCode.done : exitCode.failed);
});

async function examine(options: GlobalOptions): Promise<Finding[]> {
  const shim = await nativeShim();
  // The rest is loaded now only: it needs the native code.
  if (shim.state === "broken") return [bunVersion(), shim, sharedMemoryFolder()];
  const { config, finding } = await configured(options);
  const { ndi } = await import("./doctor/ndi.ts");
  const { doorbells, group, port } = await import("./doctor/access.ts");
  const { sharedMemory } = await import("./doctor/memory.ts");
  const { leftovers } = await import("./doctor/leftovers.ts");
  return [
    bunVersion(),
    shim,
    await nodeAv(config),
    ...ndi(config),
    ...finding,
    sharedMemoryFolder(),
    sharedMemory(config),
    ...leftovers(config),
    ...group(config),
    doorbells(config),
    await port(config),
  ];
}

async function configured(options: GlobalOptions): Promise<{ config: Config; finding: Finding[] }> {
  const { config, finding } = await loaded(options.config);
  const { host = config.host, port = config.port } = options;
  const prefix = options.prefix || process.env.STREAMEM_PREFIX || config.prefix;
  return { config: { ...config, host, port, prefix }, finding };
}

/** The rest is looked at with the default where the configuration is wrong. */
async function loaded(file: string | undefined): Promise<{ config: Config; finding: Finding[] }> {
  const about = "configuration";
  try {
    const config = await loadConfig(file);
    const name = config.file ?? "none: the built-in default";
    return { config, finding: [ok(about, name)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy = "Correct it; streamem.example.yaml explains every key.";
    const finding = error.problems.map(({ text }) => broken(about, text, remedy));
    return { config: await parseConfig("", null), finding };
  }
}

function report(findings: Finding[]): string {
  const lines = findings.flatMap(({ state, about, words, remedy }) => [
    `${state.padEnd(8)} ${about}: ${words}`,
    ...(remedy ? [`${" ".repeat(9)}-> ${remedy}`] : []),
  ]);
  const count = findings.filter(({ state }) => state === "broken").length;
  return [...lines, count === 0 ? "Nothing is broken." : `Broken: ${count}.`].join("\n");
}
