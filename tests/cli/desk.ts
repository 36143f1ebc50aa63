// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { readLines } from "../../cli/protocol.ts";
import { forEachOf } from "../tuples.ts";
import { firstOf, nthOf, present } from "../values.ts";

/** The program of the command. */
export const MAIN: string = new URL("../../cli/main.ts", import.meta.url).pathname;

/** Result of a command that has ended. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A node that the command has started. */
export interface StartedNode {
  readonly process: Deno.ChildProcess;
  /** Address at which it listens. */
  readonly address: string;
  /** The line that it printed then. */
  readonly line: string;
  /** Its standard error. */
  readonly errors: Heard;
}

/** Output of a process. */
export class Heard {
  /** Resolves at the end. */
  readonly reading: Promise<void>;
  #text = "";
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.reading = this.#read(stream);
  }

  /** Waits until it has said something. */
  async hear(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      if (this.#ended) throw new Error(`"${text}" never came: ${this.#text}`);
      await this.#changed.promise;
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#change(text);
    this.#ended = true;
    this.#change("");
  }

  #change(text: string): void {
    this.#text += text;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Nodes that the command has started, and a folder for them. */
export class Desk implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync();
  readonly #nodes: Deno.ChildProcess[] = [];
  readonly #outputs: Promise<unknown>[] = [];
  /** The program that is run: the source, a bundle of it, or an executable. */
  program: readonly string[] = programOf(MAIN);
  /** Variables of all that is started from now on. */
  variables: Readonly<Record<string, string>> = {};

  /** Starts a node. @returns It, and the address at which it listens. */
  async start(...args: string[]): Promise<StartedNode> {
    const process = this.#command(["start", ...args], { stdout: "piped", stderr: "piped" }).spawn();
    this.#nodes.push(process);
    const lines = readLines(process.stdout);
    const errors = new Heard(process.stderr);
    this.#outputs.push(errors.reading);
    const { value: line } = await lines.next();
    if (line === undefined) throw new Error(`"start ${args.join(" ")}" said nothing on standard output`);
    this.#outputs.push(readAll(lines));
    return { process, line, address: addressIn(line), errors };
  }

  /** Runs a command to its end. */
  async run(...args: string[]): Promise<Result> {
    const { code, stdout, stderr } = await this.#command(args, { stdin: "null" }).output();
    const [out, err] = forEachOf([stdout, stderr], (bytes) => new TextDecoder().decode(bytes));
    return { code, stdout: out, stderr: err };
  }

  /** Runs a command with `--json` to its end, which must be a good one. */
  async json(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.run(...args, "--json");
    assertEquals(code, 0, stderr);
    return JSON.parse(stdout);
  }

  /** Waits until a node knows so many members that are up. */
  async members(count: number, ...args: string[]): Promise<string[]> {
    for (;;) {
      const { members } = await this.json("members", "--status", "up", ...args) as { members: { name: string }[] };
      if (members.length === count) return members.map(({ name }) => name);
    }
  }

  #command(args: readonly string[], options: Deno.CommandOptions): Deno.Command {
    const before = this.program.slice(1);
    const env = { XDG_RUNTIME_DIR: this.folder, ...this.variables };
    return new Deno.Command(firstOf(this.program), { args: [...before, ...args], env, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#nodes) {
      try {
        process.kill("SIGKILL");
      } catch {
        // It is gone already.
      }
      await process.status;
    }
    await Promise.all(this.#outputs);
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Address at which a node listens, as it says, for people or as JSON. */
function addressIn(line: string): string {
  return line.startsWith("{")
    ? JSON.parse(line).addresses[0]
    : nthOf(present(/listens on (\S+?)(?:;|$)/.exec(line)), 1);
}

/** Command that runs a module. */
export function programOf(main: string): string[] {
  return [Deno.execPath(), "run", "-A", "--no-prompt", "--no-check", "--no-config", main];
}

/** So that who writes can go on. */
async function readAll(lines: AsyncIterable<string>): Promise<void> {
  for await (const _ of lines) { /* It is of no interest. */ }
}

/** A test of nodes that are asked over the socket of the user. */
export function unixTest(name: string, fn: (desk: Desk) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using desk = new Desk();
      await fn(desk);
    },
  });
}
