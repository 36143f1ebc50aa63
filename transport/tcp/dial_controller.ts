// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Makes the controller of a dial that may have to be given up, for `Deno.connect`.
 *
 * `Deno.connect` stops when its signal is aborted, unless its socket has opened in the same turn of the event loop: then it has the signal throw,
 * and forgets the socket, which stays open. Of the dials that were given up on a busy machine, that was one of nine (Deno 2.9.6, 2026-11-30).
 * The signal of this controller never throws. What has opened nevertheless is therefore returned, for the caller to close.
 */
export function dialController(): AbortController {
  const controller = new AbortController();
  Object.defineProperty(controller.signal, "throwIfAborted", { value: () => {} });
  return controller;
}
