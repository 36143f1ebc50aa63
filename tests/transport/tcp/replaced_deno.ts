// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Has a function of Deno's replaced while `run` is called: what it begins, it begins with that. @returns Result of `run`. */
export function withDeno<Name extends "listen" | "connect", T>(
  name: Name,
  replace: (original: typeof Deno[Name]) => unknown,
  run: () => T,
): T {
  const original = Deno[name];
  try {
    Object.assign(Deno, { [name]: replace(original) });
    return run();
  } finally {
    Object.assign(Deno, { [name]: original });
  }
}
