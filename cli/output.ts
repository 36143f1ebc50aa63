// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Exit code that shells show for a program that was ended by SIGPIPE. */
const BROKEN_PIPE = 141;

/** Writes all of `bytes` to standard output. Ends the program when that is not read any more. */
export function writeBytes(bytes: Uint8Array): void {
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(BROKEN_PIPE);
    throw error;
  }
}

/** Writes `text` to standard output. */
export function writeText(text: string): void {
  writeBytes(new TextEncoder().encode(text));
}

/** Writes `line` and its end to standard output. */
export function printLine(line: string): void {
  writeText(line + "\n");
}

/** Writes `text` to standard error, as a line: it is for people. */
export function complain(text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stderr.writeSync(rest));
}
