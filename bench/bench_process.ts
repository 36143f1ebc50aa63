// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CommandArgs, CommandName, CommandResult } from "./commands.ts";
import { TextLineStream } from "./line_stream.ts";

/** Time that a process gets to end by itself. */
const PATIENCE_MS = 2_000;

/** Part of util-linux. */
const TASKSET = "/usr/bin/taskset";

type Answer = { readonly result: unknown } | { readonly error: string };

/** A process of a measurement, as its parent sees it: `child.ts` does what it is told, one thing after the other. */
export class BenchProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Starts it.
   *
   * @param processor Number of the processor that it keeps to, with all its threads, where `taskset` is there to see to that.
   */
  constructor(processor?: number) {
    const child = new URL("child.ts", import.meta.url).href;
    const flags = Deno.env.get("BENCH_CHILD_FLAGS")?.split(" ") ?? [];
    const args = ["run", "-A", "--no-check", ...flags, child];
    const isBound = processor !== undefined && canBind(processor);
    const command = isBound ? TASKSET : Deno.execPath();
    const before = isBound ? ["-c", `${processor}`, Deno.execPath()] : [];
    this.#process = new Deno.Command(command, { args: [...before, ...args], stdin: "piped", stdout: "piped" }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#answers = this.#process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Has it do something. */
  call<Name extends CommandName>(name: Name, args: CommandArgs<Name>): Promise<CommandResult<Name>> {
    const answer = this.#last.then(() => this.#ask(name, args));
    this.#last = answer.catch(() => {});
    return answer as Promise<CommandResult<Name>>;
  }

  /** Ends it: with its input, or by force when it is too busy to notice. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#kill(), PATIENCE_MS);
    await this.#input.close().catch(() => {});
    await this.#answers.cancel().catch(() => {});
    await this.#process.status;
    clearTimeout(timer);
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  }

  async #ask(name: CommandName, args: unknown): Promise<unknown> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify({ name, args }) + "\n"));
    const { value } = await this.#answers.read();
    if (value === undefined) throw new Error(`Cannot do "${name}": the process has ended`);
    const answer: Answer = JSON.parse(value);
    if ("error" in answer) throw new Error(`Cannot do "${name}": ${answer.error}`);
    return answer.result;
  }
}

/** Whether a process can be made to keep to a processor. */
function canBind(processor: number): boolean {
  try {
    return processor < navigator.hardwareConcurrency && Deno.statSync(TASKSET).isFile;
  } catch {
    return false;
  }
}
