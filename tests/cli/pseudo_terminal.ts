// Copyright 2026 the Partisan peer-service authors. MIT license.

import { nthOf, takeOf } from "../values.ts";
const PATIENCE_MS = 120_000;

/** Size as `stty` takes it. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Reason that there is no pseudo-terminal here; `null` where there is one. */
export const whyNoPseudoTerminal: string | null = Deno.build.os !== "linux"
  ? "stty and script have other options here"
  : !await hasScript()
  ? "script, of util-linux, is not installed"
  : null;

/**
 * A program in a pseudo-terminal of its own, which `script` of util-linux makes, and what a user sees there. Once the
 * program has ended, a shell tells its exit code and how it left the terminal.
 */
export class PseudoTerminal implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<void>;
  #output = "";
  #changed = Promise.withResolvers<void>();
  #ended = false;
  /** Deadline: output that never comes fails the test, and does not hold it up. */
  readonly #patience: ReturnType<typeof setTimeout>;

  /** @param environment Variables that the program finds in addition to those that it inherits. */
  constructor(program: readonly string[], size: TerminalSize, environment: Readonly<Record<string, string>> = {}) {
    const script = [
      `stty cols ${size.columns} rows ${size.rows}`,
      'echo "terminal $(tty)"',
      // In a process that `exec` makes the program: its number is known.
      `sh -c 'echo "process $$"; exec "$@"' sh ${program.map((word) => `'${word}'`).join(" ")}`,
      'echo "exit $?"',
      "stty -a",
    ].join("; ");
    this.#process = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", script, "/dev/null"],
      env: { SHELL: "/bin/sh", TERM: "xterm-256color", NO_COLOR: "", ...environment },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#read();
    this.#patience = setTimeout(() => this.#process.kill("SIGTERM"), PATIENCE_MS);
  }

  /** All that was written so far, escape sequences included. */
  get output(): string {
    return this.#output;
  }

  /** Presses keys. */
  async type(keys: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(keys));
  }

  /** Makes the window larger or smaller, of which the system tells the program by SIGWINCH. */
  async resize({ columns, rows }: TerminalSize): Promise<void> {
    const path = nthOf(await this.#match(/terminal (\/dev\/\S+)/), 1);
    const args = ["-F", path, "cols", `${columns}`, "rows", `${rows}`];
    await new Deno.Command("stty", { args }).output();
  }

  /** Sends the program a signal. */
  async signal(name: "TERM" | "HUP"): Promise<void> {
    const [, id] = await this.#match(/process (\d+)/);
    Deno.kill(Number(id), `SIG${name}`);
  }

  /** Waits until the window shows something. @returns Its lines then. */
  async shows(expected: RegExp): Promise<string[]> {
    for (;;) {
      const lines = linesOf(this.#output);
      if (expected.test(lines.join("\n"))) return lines;
      await this.#next(expected);
    }
  }

  /** Waits until the program has ended. @returns Its exit code, and whether the terminal is as it was before. */
  async end(): Promise<{ code: number; restored: boolean }> {
    const [, code, state] = takeOf(await this.#match(/exit (\d+)\r\n([^]*-?extproc)/), 3);
    await this.#reading;
    const modes = state.split(/\s+/);
    const drawn = this.#output.includes("\x1b[?1049h");
    const last = (on: string, off: string) => this.#output.lastIndexOf(on) > this.#output.lastIndexOf(off);
    const screen = !drawn ||
      last("\x1b[?1049l", "\x1b[?1049h") && last("\x1b[?25h", "\x1b[?25l") && last("\x1b[?7h", "\x1b[?7l");
    return {
      code: Number(code),
      restored: screen && ["icanon", "echo", "isig"].every((mode) => modes.includes(mode)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#patience);
    await this.#input.close().catch(() => {});
    if (!this.#ended) this.#process.kill("SIGTERM");
    await this.#reading;
    await this.#process.status;
  }

  async #match(expected: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = expected.exec(this.#output);
      if (found !== null) return found;
      await this.#next(expected);
    }
  }

  async #next(expected: RegExp): Promise<void> {
    if (this.#ended) throw new Error(`${expected} never came: ${JSON.stringify(this.#output)}`);
    await this.#changed.promise;
  }

  async #read(): Promise<void> {
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) this.#change(text);
    this.#ended = true;
    clearTimeout(this.#patience);
    this.#change("");
  }

  #change(text: string): void {
    this.#output += text;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** The lines that stand in the window: those of the newest complete drawing, or of all text where nothing is drawn. */
function linesOf(output: string): string[] {
  const drawings = output.split("\x1b[H").slice(1);
  const newest = drawings.findLast((drawing) => drawing.includes("\x1b[J"))?.split("\x1b[J")[0];
  // deno-lint-ignore no-control-regex
  return (newest ?? (drawings.length > 0 ? "" : output)).replaceAll(/\x1b\[[?0-9;]*[A-Za-z]/g, "").split(/\r+\n/);
}

async function hasScript(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("script", { args: ["--version"], stderr: "null" }).output();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}
