// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Events that may wait for their consumer. */
const WAITING_MAX = 4_096;

/** Events as an async iterator. When the consumer falls behind too far, it loses the oldest. */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #ended = Promise.withResolvers<void>();
  #waiting: T[] = [];
  #consumers: ((result: IteratorResult<T>) => void)[] = [];
  #done = false;

  /** Resolves when the stream has ended, from either side. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Adds an event. */
  push(event: T): void {
    const consumer = this.#consumers.shift();
    if (consumer !== undefined) return consumer({ value: event, done: false });
    this.#waiting.push(event);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
  }

  /** Ends the stream behind the events that wait. */
  end(): void {
    this.#done = true;
    for (const consumer of this.#consumers) consumer({ value: undefined, done: true });
    this.#consumers = [];
    this.#ended.resolve();
  }

  /** The next event. */
  next(): Promise<IteratorResult<T>> {
    if (this.#waiting.length > 0) return Promise.resolve({ value: this.#waiting.shift()!, done: false });
    if (this.#done) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#consumers.push(resolve));
  }

  /** The consumer has had enough. */
  return(): Promise<IteratorResult<T>> {
    this.#waiting = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** The stream itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}
