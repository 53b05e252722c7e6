/** A page that is drawn over itself on the terminal's second screen, and leaves the first as it was. */

const codes = {
  enter: "\x1b[?1049h\x1b[?25l",
  leave: "\x1b[?25h\x1b[?1049l",
  home: "\x1b[H",
  clearLine: "\x1b[K",
  clearRest: "\x1b[J",
};

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #end = () => process.exit(0); // the exit handler tidies up

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
    this.#out.write(codes.enter);
    process.on("SIGINT", this.#end).on("SIGTERM", this.#end).on("SIGHUP", this.#end);
    process.on("exit", this.#leave);
  }

  /** What does not fit is cut off: a line that wraps would move all others. */
  show(text: string): void {
    const { columns = 80, rows = 24 } = this.#out;
    const lines = text.split("\n").slice(0, rows - 1);
    const drawn = lines.map((line) => line.slice(0, columns) + codes.clearLine).join("\n");
    this.#out.write(`${codes.home}${drawn}\n${codes.clearRest}`);
  }

  close(): void {
    process.off("exit", this.#leave);
    process.off("SIGINT", this.#end).off("SIGTERM", this.#end).off("SIGHUP", this.#end);
    this.#leave();
  }

  readonly #leave = () => {
    this.#out.write(codes.leave);
  };
}
