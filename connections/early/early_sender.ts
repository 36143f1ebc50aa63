// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes that may be on their way over the carrier in one direction, until the other end has taken them. */
export const EARLY_WINDOW_BYTES: number = 32 * 1024;

/** A piece of what was sent. */
export interface EarlyPiece {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * Bytes that one end has sent over the carrier, and may have to send again over another one. Positions are numbers of 32 bits.
 */
export class EarlySender {
  #pieces: EarlyPiece[] = [];
  #sent = 0;
  #taken = 0;
  #hasEnded = false;

  /** Position of the next byte. */
  get position(): number {
    return this.#sent;
  }

  /** Number of bytes that may still be sent. */
  get room(): number {
    return EARLY_WINDOW_BYTES - ((this.#sent - this.#taken) >>> 0);
  }

  /** Pieces that the other end has not confirmed. */
  get pieces(): readonly EarlyPiece[] {
    return this.#pieces;
  }

  /** Whether the other end has taken everything before a position, and what is there. */
  hasTaken(position: number): boolean {
    return ((this.#taken - position - 1) | 0) >= 0;
  }

  /** Keeps a copy of what is sent. */
  add(bytes: Uint8Array): EarlyPiece {
    const piece = { position: this.#sent, bytes: bytes.slice() };
    this.#pieces.push(piece);
    this.#sent = (this.#sent + bytes.length) >>> 0;
    return piece;
  }

  /** Nothing more is sent. */
  end(): void {
    this.#hasEnded = true;
  }

  /** The other end has taken everything before a position. @returns Whether that can be. */
  take(position: number): boolean {
    // The word that this end has moved counts as one more.
    if (((position - this.#sent) | 0) > (this.#hasEnded ? 1 : 0)) return false;
    if (((position - this.#taken) | 0) > 0) this.#taken = position;
    this.#pieces = this.#pieces.filter((piece) => ((piece.position + piece.bytes.length - this.#taken) | 0) > 0);
    return true;
  }
}
