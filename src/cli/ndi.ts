/** `streamem ndi ls`: the NDI sources on the network, without a hub. */
import { Command, InvalidArgumentError } from "commander";
import { searchSources } from "../../sensors/ndi/discovery/search.ts";
import { loadNdi, type Ndi, NdiLibraryError } from "../../sensors/ndi/libndi/load.ts";
import { aligned } from "../startup-table.ts";
import { configuredSearch } from "./ndi/configured-search.ts";
import type { GlobalOptions } from "./options.ts";

interface ListOptions extends GlobalOptions {
  group: string[];
  ip: string[];
  library?: string;
  waitS: number;
}

const usualWaitS = 2;

const list = new Command("ls")
  .summary("list the NDI sources on the network")
  .option("--group <name>", "a group whose sources are looked for (default: public)", added, [])
  .option("--ip <address>", "a host to ask besides; again for each", added, [])
  .option("--library <path>", "libndi: its file or folder")
  .option("--wait-s <seconds>", "how long to listen", seconds, usualWaitS)
  .addHelpText("after", "\nGroups, hosts and library of the configuration's NDI sensors count too.")
  .action(async () => {
    const options = list.optsWithGlobals<ListOptions>();
    const configured = await configuredSearch(options);
    const groups = unique([...configured.groups, ...options.group]);
    const extraIps = unique([...configured.extraIps, ...options.ip]);
    const library = load(options.library ?? configured.library);
    const problems = library.problem === null ? [] : [library.problem];
    const search = searchSources(library.ndi, {
      groups: groups.length > 0 ? groups : ["public"],
      extraIps,
      warn: (words) => problems.push(words),
    });
    await Bun.sleep(options.waitS * 1000);
    const sources = search.sources();
    const { version = null, path = null } = library.ndi ?? {};
    const found = { sources, library: version === null ? null : { version, path }, problems };
    if (options.json) console.log(JSON.stringify(found));
    else print(found);
    process.exit(0); // libndi's threads would keep it
  });

export const command = new Command("ndi").addCommand(list);

function load(library: string | undefined): { ndi: Ndi | null; problem: string | null } {
  try {
    return { ndi: loadNdi(library), problem: null };
  } catch (error) {
    if (!(error instanceof NdiLibraryError)) throw error;
    return { ndi: null, problem: error.message };
  }
}

function print({
  sources,
  problems,
}: {
  sources: { name: string; address: string }[];
  problems: string[];
}) {
  const rows = sources.map(({ name, address }) => [name, address]);
  if (rows.length > 0) console.log(aligned([["source", "address"], ...rows], []));
  else
    console.error("There is no NDI source within reach. --ip asks a host, --group another group.");
  for (const problem of problems) console.error(problem);
}

function added(text: string, before: string[]): string[] {
  return [...before, text];
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0.1 && value <= 60) return value;
  throw new InvalidArgumentError("It is a number of seconds from 0.1 to 60.");
}
