// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The signals that ask a program to end, and what shells show for one that was ended by them. */
export const TERMINATIONS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The system asked this program to end. */
export class Interruption extends Error {
  /** Always `"Interruption"`. */
  override readonly name = "Interruption";
  /** Exit code that shells show for a program that was ended by the signal. */
  readonly exitCode: number;

  constructor(signal: keyof typeof TERMINATIONS) {
    super(`Interrupted by ${signal}`);
    this.exitCode = TERMINATIONS[signal];
  }
}

/** A signal that is aborted with an {@linkcode Interruption} when the system asks this program to end. */
export function terminationSignal(): AbortSignal {
  const controller = new AbortController();
  // Windows knows the first one only.
  const names = (["SIGINT", "SIGTERM", "SIGHUP"] as const).slice(0, Deno.build.os === "windows" ? 1 : undefined);
  for (const name of names) Deno.addSignalListener(name, () => controller.abort(new Interruption(name)));
  return controller.signal;
}
