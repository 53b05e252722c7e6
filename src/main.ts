/**
 * Read this first. `streamem <verb>`: each verb is a file in cli/ that exports its commander
 * `command`, loaded only when it is asked for, so that `ls` does not wait for a web server.
 */
import { Command } from "commander";
import manifest from "../package.json" with { type: "json" };
import { addGlobalOptions, CliError, exitCode } from "./cli/options.ts";

interface Verb {
  summary: string;
  load(): Promise<{ command: Command }>;
}

const verbs: Record<string, Verb> = {
  hub: {
    summary: "start the sensors and the HTTP API",
    load: () => import("./cli/hub.ts"),
  },
  ls: {
    summary: "list the streams of this machine, without a hub",
    load: () => import("./cli/ls.ts"),
  },
  top: {
    summary: "show what flows: rate, age, bytes per second and memory of each stream",
    load: () => import("./cli/top.ts"),
  },
  view: {
    summary: "print the address of a stream's picture, and open it where there is a desktop",
    load: () => import("./cli/view.ts"),
  },
  simulate: {
    summary: "be a device that is not there, for those without one on the desk",
    load: () => import("./cli/simulate.ts"),
  },
  ndi: {
    summary: "look for NDI cameras",
    load: () => import("./cli/ndi.ts"),
  },
  doctor: {
    summary: "find out what is missing or in the way, and say what to do",
    load: () => import("./cli/doctor.ts"),
  },
};

async function main(argv: string[]): Promise<void> {
  const program = addGlobalOptions(new Command("streamem"))
    .description(manifest.description)
    .version(manifest.version)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCode.usage));
  for (const [name, verb] of Object.entries(verbs)) {
    program.addCommand(argv.includes(name) ? await loaded(program, verb) : stub(name, verb));
  }
  await program.parseAsync(argv, { from: "user" });
}

async function loaded(program: Command, verb: Verb): Promise<Command> {
  const { command } = await verb.load();
  for (const part of command.commands) part.copyInheritedSettings(program);
  return command.copyInheritedSettings(program).description(verb.summary);
}

function stub(name: string, verb: Verb): Command {
  return new Command(name).description(verb.summary);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  console.error(error.message);
  // Not by exitCode alone: whatever was started before the error may keep the process.
  process.exit(error.code);
}
