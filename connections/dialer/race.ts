// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../../runtime/runtime.ts";

/** Milliseconds after which the next address is tried as well: the "Connection Attempt Delay" that RFC 8305 recommends. */
export const ATTEMPT_DELAY = 250;

/**
 * Milliseconds that the node that has taken the connection gets for the handshake, before the next address is tried as well. Two addresses
 * often lead to one node, which should not have to deal with two handshakes at once.
 */
export const ANSWER_DELAY = 1_000;

/** One of the attempts of a race. */
export interface Attempt {
  /** Aborted once another attempt has won, or the race is given up. None where neither can be. */
  readonly signal: AbortSignal | undefined;
  /** To be called once a connection is there, although not yet the result. */
  reached(): void;
}

/** Options of one race. */
export interface RaceOptions<T> {
  readonly clock: Clock;
  /** Gives up the race. */
  readonly signal?: AbortSignal | undefined;
  /** Whether a failure makes the other attempts pointless. */
  isFinal(error: unknown): boolean;
  /** Lets go of the result of an attempt that has succeeded in the same turn as the winner, too late to be aborted. */
  discard(result: T): void;
}

/**
 * Tries the candidates in order, each one without waiting long for those before it, as RFC 8305 ("Happy Eyeballs Version 2") does with
 * addresses. The first success wins; the other attempts are aborted.
 *
 * @throws The failure that was final, else the last one. The reason of `signal`, once that is aborted and every attempt has ended.
 * @throws `undefined` when there are no candidates.
 */
export function race<C, T>(
  candidates: readonly C[],
  run: (candidate: C, attempt: Attempt) => Promise<T>,
  options: RaceOptions<T>,
): Promise<T> {
  // Most nodes have one address, and most races one candidate, that nothing aborts.
  const [only] = candidates;
  if (candidates.length !== 1) return raceAll(candidates, run, options);
  const { signal } = options;
  return signal === undefined ? run(only!, { signal, reached: nothing }) : tryOnly(only!, run, signal);
}

async function tryOnly<C, T>(
  candidate: C,
  run: (candidate: C, attempt: Attempt) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await run(candidate, { signal, reached: nothing });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

function nothing(): void {}

function raceAll<C, T>(
  candidates: readonly C[],
  run: (candidate: C, attempt: Attempt) => Promise<T>,
  { clock, signal, isFinal, discard }: RaceOptions<T>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const controllers = new Set<AbortController>();
  let timer: Timer | undefined;
  let next = 0;
  let isOver = false;
  let isGivenUp = false;
  const running = new Set<Promise<unknown>>();
  const finish = (settle: () => void) => {
    if (isOver) return;
    isOver = true;
    timer?.cancel();
    signal?.removeEventListener("abort", abort);
    settle();
    for (const controller of controllers) {
      controller.abort(new DOMException("Another address was faster", "AbortError"));
    }
  };
  const abort = () => {
    const { reason } = signal!;
    const given = [...running];
    for (const controller of controllers) controller.abort(reason);
    isGivenUp = true;
    timer?.cancel();
    // The caller that gives it up is told once nothing of it is under way any more.
    Promise.allSettled(given).then(() => finish(() => reject(reason)));
  };
  const begin = () => {
    timer?.cancel();
    if (isOver || isGivenUp || next === candidates.length) return;
    const candidate = candidates[next++]!;
    const controller = new AbortController();
    controllers.add(controller);
    if (next < candidates.length) timer = clock.schedule(ATTEMPT_DELAY, begin);
    const started = next;
    const reached = () => {
      // Only the latest attempt holds up the one after it.
      if (isOver || isGivenUp || started !== next || next === candidates.length) return;
      timer?.cancel();
      timer = clock.schedule(ANSWER_DELAY, begin);
    };
    const failed = (error: unknown) => {
      controllers.delete(controller);
      if (isGivenUp) return;
      if (isFinal(error) || (controllers.size === 0 && next === candidates.length)) finish(() => reject(error));
      else if (started === next) begin();
    };
    const attempt = run(candidate, { signal: controller.signal, reached });
    running.add(attempt);
    attempt.finally(() => running.delete(attempt)).catch(() => {});
    attempt.then((result) => {
      controllers.delete(controller);
      if (isOver) discard(result);
      else finish(() => resolve(result));
    }, failed);
  };
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  else if (candidates.length === 0) finish(() => reject(undefined));
  else begin();
  return promise;
}
