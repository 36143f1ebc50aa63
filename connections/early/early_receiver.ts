// Copyright 2026 the Partisan peer-service authors. MIT license.

import { EARLY_WINDOW_BYTES } from "./early_sender.ts";

/** Pieces that may wait for their turn: each costs memory and a look, however short it is. */
const PIECES_MAX = 4_096;

/** The other end is told that there is room when it is so much. */
const NEWS_BYTES = EARLY_WINDOW_BYTES / 2;

/** Puts the bytes in order that one end gets over the carrier: over two carriers, or sent twice, it may come in any order. */
export class EarlyReceiver {
  /** In order, and not read yet. */
  readonly #ready: Uint8Array[] = [];
  /** By position: what came before its turn. */
  readonly #ahead = new Map<number, Uint8Array>();
  #aheadBytes = 0;
  #received = 0;
  #taken = 0;
  #told = 0;
  #hasMoved = false;

  /** Position of the next byte in order. */
  get received(): number {
    return this.#received;
  }

  /** All before this position was read. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether there is something to read. */
  get hasBytes(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether the other end should be told what was read. */
  get hasNews(): boolean {
    return ((this.#taken - this.#told) >>> 0) >= NEWS_BYTES;
  }

  /** Takes a copy of what has come. @returns Whether so much may come. */
  add(position: number, bytes: Uint8Array): boolean {
    if (((position + bytes.length - this.#taken) | 0) > EARLY_WINDOW_BYTES) return false;
    const known = (this.#received - position) | 0;
    if (known < 0) return this.#keep(position, bytes);
    this.#append(position, bytes);
    return true;
  }

  /** Reads into `buffer`. @returns The number of bytes. */
  read(buffer: Uint8Array): number {
    const first = this.#ready[0]!;
    const count = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, count));
    if (count === first.length) this.#ready.shift();
    else this.#ready[0] = first.subarray(count);
    this.#taken = (this.#taken + count) >>> 0;
    this.#takeLast();
    return count;
  }

  /** Takes the word that the other end has moved, which has come in its order, and counts as a byte. */
  takeMoved(): void {
    this.#received = (this.#received + 1) >>> 0;
    this.#hasMoved = true;
    this.#takeLast();
  }

  /** The other end is being told what was read. */
  told(): void {
    this.#told = this.#taken;
  }

  #takeLast(): void {
    if (this.#hasMoved && !this.hasBytes) this.#taken = this.#received;
  }

  /** Keeps what came before its turn. @returns Whether so much may wait. */
  #keep(position: number, bytes: Uint8Array): boolean {
    const known = this.#ahead.get(position);
    if (known !== undefined && known.length >= bytes.length) return true;
    this.#aheadBytes += bytes.length - (known?.length ?? 0);
    this.#ahead.set(position, bytes.slice());
    return this.#aheadBytes <= EARLY_WINDOW_BYTES && this.#ahead.size <= PIECES_MAX;
  }

  /** Takes what is in order, and then what waited for it. */
  #append(position: number, bytes: Uint8Array): void {
    for (let next: [number, Uint8Array] | undefined = [position, bytes]; next; next = this.#takeNext()) {
      const known = (this.#received - next[0]) | 0;
      if (known >= next[1].length) continue;
      this.#ready.push(next[1].slice(known));
      this.#received = (next[0] + next[1].length) >>> 0;
    }
  }

  /** Takes a piece out whose turn has come. */
  #takeNext(): [number, Uint8Array] | undefined {
    for (const [position, piece] of this.#ahead) {
      if (((position - this.#received) | 0) > 0) continue;
      this.#ahead.delete(position);
      this.#aheadBytes -= piece.length;
      return [position, piece];
    }
    return undefined;
  }
}
