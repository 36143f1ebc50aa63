// Copyright 2026 the Partisan peer-service authors. MIT license.

import { TERMINATIONS } from "./interruption.ts";

/** The signals that this process is sent. */
export interface Signals extends Disposable {
  /** Resolves when it is asked to end. */
  readonly first: Promise<void>;
  /** Resolves when it is asked again, with what shells show for a program that was ended by that signal. */
  readonly second: Promise<number>;
  /** Called at SIGHUP. */
  onHangup: () => void;
}

/**
 * Listens to SIGTERM and SIGINT, and to SIGHUP. To be called first of all: Deno panics when it sets up its first listener
 * while the process has no file descriptor left.
 */
export function watchSignals(): Signals {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
  let count = 0;
  const end = (name: keyof typeof TERMINATIONS) => () =>
    count++ === 0 ? first.resolve() : second.resolve(TERMINATIONS[name]);
  const hangup = () => signals.onHangup();
  const listeners: [Deno.Signal, () => void][] = Deno.build.os === "windows"
    ? [["SIGINT", end("SIGINT")]]
    : [["SIGINT", end("SIGINT")], ["SIGTERM", end("SIGTERM")], ["SIGHUP", hangup]];
  const signals: Signals = {
    first: first.promise,
    second: second.promise,
    onHangup: () => {},
    [Symbol.dispose]() {
      for (const [name, listener] of listeners) Deno.removeSignalListener(name, listener);
    },
  };
  for (const [name, listener] of listeners) Deno.addSignalListener(name, listener);
  return signals;
}
