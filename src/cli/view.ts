/** `streamem view NAME`: the address of a stream's picture on the hub, opened where there is a desktop. */
import { Command } from "commander";
import { CliError, type GlobalOptions } from "./options.ts";
import { hubUrl, settings } from "./settings.ts";

interface StreamAnswer {
  kind: string;
  links: { latest: string; jpg: string | null };
}

export const command = new Command("view")
  .argument("<name>", "the stream")
  .option("--print", "print the address, open nothing")
  .action(async (name: string) => {
    const options = command.optsWithGlobals<GlobalOptions & { print?: boolean }>();
    const hub = hubUrl(await settings(options));
    const { kind, links } = await askedFor(hub, name);
    if (!links.jpg)
      console.error(`${name} is ${kind}, not a picture: these are its newest numbers.`);
    const url = hub + (links.jpg ?? links.latest);
    const opened = !options.print && open(url);
    console.log(options.json ? JSON.stringify({ url, opened }) : url);
  });

async function askedFor(hub: string, name: string): Promise<StreamAnswer> {
  const answer = await get(hub, `/api/v1/streams/${encodeURIComponent(name)}`);
  if (answer.ok) return (await answer.json()) as StreamAnswer;
  if (answer.status !== 404) throw new CliError(`${hub} answered ${answer.status}.`);
  const { streams } = (await (await get(hub, "/api/v1/streams")).json()) as {
    streams: { name: string }[];
  };
  const names = streams.map((stream) => stream.name).join(", ");
  throw new CliError(`There is no stream "${name}" at ${hub}; there are: ${names || "none"}.`);
}

async function get(hub: string, path: string): Promise<Response> {
  try {
    return await fetch(hub + path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new CliError(
      `No hub answers at ${hub} (${why}). Start it with \`bun run hub\`, or say with --host and --port where it is.`,
    );
  }
}

/** @returns whether a desktop was asked to */
function open(url: string): boolean {
  const opener = Bun.which("xdg-open");
  const desktop = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!opener || !desktop) return false;
  Bun.spawn([opener, url], { stdio: ["ignore", "ignore", "ignore"], detached: true }).unref();
  return true;
}
