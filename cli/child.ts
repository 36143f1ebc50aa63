// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Command, decodeLine, encodeLine, readLines, type Report } from "./protocol.ts";

/** Command line by which this program starts itself again. */
export interface Launcher {
  /** The executable. */
  readonly executable: string;
  /** Its arguments, up to the command. */
  readonly args: readonly string[];
}

/** Listener for the events of a child process. */
export interface ChildListener {
  /** It reported something. */
  report(report: Report): void;
  /** It wrote a line to its standard error. */
  stderr(line: string): void;
  /** It is gone, and all that it reported was handed over before. */
  exited(status: Deno.CommandStatus): void;
}

/**
 * Starts a child with this same program: compiled, the executable is the program; otherwise Deno runs `main`.
 *
 * @param main The URL of the module that was started.
 */
export function launcherOf(main: string): Launcher {
  const args = Deno.build.standalone ? [] : ["run", "--no-prompt", "--allow-net", main];
  return { executable: Deno.execPath(), args };
}

/** A node's process. */
export class Child {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #pause: PauseHolder | undefined;
  /** Resolves after `exited` was called. */
  readonly done: Promise<void>;

  /** Starts it. */
  constructor(launcher: Launcher, name: string, listener: ChildListener) {
    const args = [...launcher.args, "node", name];
    const options = { args, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#process = new Deno.Command(launcher.executable, options).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.done = this.#watch(listener);
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Tells it something. Nothing happens when it is gone. */
  send(command: Command): void {
    this.#input.write(encodeLine(command)).catch(ignore);
  }

  /** Stops it with SIGKILL: it has no chance to say goodbye. */
  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
  }

  /** Freezes it with SIGSTOP. */
  pause(): void {
    this.#pause ??= new PauseHolder(this.pid);
  }

  /** Lets it go on with SIGCONT. */
  resume(): void {
    this.#pause?.release();
    this.#pause = undefined;
  }

  async #watch(listener: ChildListener): Promise<void> {
    const { stdout, stderr, status } = this.#process;
    await Promise.all([
      forEachLine(stdout, (line) => listener.report(decodeLine<Report>(line))),
      forEachLine(stderr, (line) => listener.stderr(line)),
    ]);
    const result = await status;
    this.resume();
    this.#input.close().catch(ignore);
    listener.exited(result);
  }
}

/**
 * Holds a process in SIGSTOP until it is released or this process dies, whichever way: a frozen node could not
 * notice that its supervisor is gone, and would stay behind. So a shell holds it, whose standard input
 * ends in both cases, and which then sends SIGCONT.
 */
class PauseHolder {
  readonly #shell: Deno.ChildProcess;

  constructor(pid: number) {
    const script = `trap "" HUP INT TERM; kill -STOP ${pid}; read _; kill -CONT ${pid}`;
    this.#shell = new Deno.Command("sh", { args: ["-c", script], stdin: "piped", stderr: "null" }).spawn();
  }

  release(): void {
    this.#shell.stdin.close().catch(ignore);
  }
}

async function forEachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  callback: (line: string) => void,
): Promise<void> {
  for await (const line of readLines(stream)) callback(line);
}

function ignore(): void {}
