/** `streamem hub` */
import { Command } from "commander";

export const command = new Command("hub").action(async () => {});
