// Copyright 2026 the Partisan peer-service authors. MIT license.

import { systemClock } from "../../runtime/system.ts";

/** Files that this process holds until its limit of open files leaves room for one more. */
export function holdFiles(): { release(): void } {
  const files: Deno.FsFile[] = [];
  try {
    for (;;) files.push(Deno.openSync("/dev/null"));
  } catch {
    // That was the last one.
  }
  files.pop()?.close();
  return {
    release() {
      for (const file of files) file.close();
    },
  };
}

/** Counts what a listener accepts, and lets a test wait for the next one. */
export class Accepted {
  count = 0;
  #onNext = () => {};

  add(): void {
    this.count++;
    this.#onNext();
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#onNext = resolve);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.schedule(milliseconds, resolve));
}

/**
 * Gives the files back once the listener has had to fail, and prints how many connections it had accepted before, and how many it has
 * accepted afterwards.
 *
 * @param files Open files that keep the listener from accepting the connection that waits.
 */
export async function printOutcome(files: { release(): void }, accepted: Accepted): Promise<void> {
  const whileExhausted = accepted.count;
  const next = accepted.next();
  files.release();
  await next;
  const outcome = JSON.stringify({ whileExhausted, afterwards: accepted.count });
  Deno.stdout.writeSync(new TextEncoder().encode(outcome));
}

/** Runs a program that ends with {@linkcode printOutcome}, with room for 64 open files. */
export async function outcomeOf(program: URL): Promise<unknown> {
  const args = ["run", "--no-check", "--allow-net", "--allow-read", program.pathname];
  const command = new Deno.Command("sh", {
    args: ["-c", 'ulimit -n 64 && exec "$0" "$@"', Deno.execPath(), ...args],
    stdout: "piped",
  });
  const { stdout } = await command.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}
