// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * One process of a measurement: does what the lines on its standard input say, one after the other, and answers each with a line.
 * Ends with its input.
 *
 * @module
 */

import { TextLineStream } from "./line_stream.ts";
import { type CommandName, COMMANDS } from "./commands.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
let last = Promise.resolve();
for await (const line of lines) last = last.then(() => answer(line));
// Whatever it was busy with, no node waits for it any more.
Deno.exit(0);

async function answer(line: string): Promise<void> {
  const { name, args } = JSON.parse(line) as { name: CommandName; args: never };
  let answer: unknown;
  try {
    answer = { result: await COMMANDS[name](stage, args) ?? null };
  } catch (error) {
    answer = { error: error instanceof Error ? error.stack : `${error}` };
  }
  const bytes = new TextEncoder().encode(JSON.stringify(answer) + "\n");
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
