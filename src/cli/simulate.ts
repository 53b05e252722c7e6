/** `streamem simulate <device>`: a device that is not there, for those without one on the desk. */
import { Command } from "commander";
import { command as hololens } from "./simulate/hololens.ts";
import { command as ndi } from "./simulate/ndi.ts";

export const command = new Command("simulate")
  .addCommand(
    hololens.summary("a headset: every stream of a HoloLens 2, and its remote configuration"),
  )
  .addCommand(ndi.summary("NDI cameras: a test picture with tones, or a film"));
