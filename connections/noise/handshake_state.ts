// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type CipherState, SealError } from "./cipher_state.ts";
import { KEY_BYTES, type KeyPair } from "./primitives.ts";
import { SymmetricState } from "./symmetric_state.ts";

/** The largest message of the Noise specification, section 3, in bytes. */
export const NOISE_MESSAGE_BYTES = 65_535;

const SUITE = "25519_ChaChaPoly_SHA256";

type Token = "e" | "s" | "ee" | "es" | "se" | "psk";

/** The patterns that are known here (sections 7.5 and 9.4); the initiator and the responder write in turns. */
const PATTERNS = {
  XX: [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
  XXpsk3: [["e"], ["e", "ee", "s", "es"], ["s", "se", "psk"]],
} as const satisfies Record<string, readonly (readonly Token[])[]>;

/** Name of a handshake pattern. */
export type PatternName = keyof typeof PATTERNS;

/** Keys and options of one side. */
export interface HandshakeOptions {
  readonly pattern: PatternName;
  /** Whether this side writes the first message. */
  readonly initiator: boolean;
  /** Data that both sides must agree on before the handshake. */
  readonly prologue: Uint8Array;
  /** Static key pair of this side. */
  readonly staticKeys: KeyPair;
  /** Fresh for each handshake. */
  readonly ephemeralKeys: KeyPair;
  /** Secret that only members know; needed by the time that the pattern asks for it. */
  readonly preSharedKey?: Uint8Array | undefined;
}

/** One side of a handshake: the HandshakeState of the Noise specification, section 5.3. */
export class HandshakeState {
  readonly #options: HandshakeOptions;
  readonly #hasPreSharedKey: boolean;
  #symmetric: SymmetricState;
  #turn = 0;
  #remoteStatic: Uint8Array | null = null;
  #remoteEphemeral: Uint8Array | null = null;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#hasPreSharedKey = options.pattern.includes("psk");
    this.#symmetric = new SymmetricState(`Noise_${options.pattern}_${SUITE}`);
    this.#symmetric.mixHash(options.prologue);
  }

  /** Static public key of the other side, once it has sent it. */
  get remoteStatic(): Uint8Array | null {
    return this.#remoteStatic;
  }

  /** The hash of all that was said. */
  get handshakeHash(): Uint8Array {
    return this.#symmetric.handshakeHash;
  }

  /** Whether all messages were written and read. */
  get isOver(): boolean {
    return this.#turn === PATTERNS[this.#options.pattern].length;
  }

  /** Writes the next message, with a payload in it. */
  write(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const { staticKeys, ephemeralKeys, preSharedKey } = this.#options;
    // Two keys, three tags and the payload.
    const message = new Uint8Array(2 * KEY_BYTES + 3 * 16 + payload.length);
    let end = 0;
    for (const token of this.#nextTokens()) {
      if (token === "e") {
        message.set(ephemeralKeys.publicKey, end);
        end += KEY_BYTES;
        this.#takeEphemeral(ephemeralKeys.publicKey);
      } else if (token === "s") {
        end = this.#symmetric.encryptAndHash(staticKeys.publicKey, message, end);
      } else {
        this.#mix(token, preSharedKey);
      }
    }
    end = this.#symmetric.encryptAndHash(payload, message, end);
    if (end > NOISE_MESSAGE_BYTES) {
      throw new RangeError(
        `Cannot write a message of the handshake: it has ${end} bytes, the limit is ${NOISE_MESSAGE_BYTES}`,
      );
    }
    return message.subarray(0, end);
  }

  /**
   * Reads the next message.
   *
   * @param preSharedKey The key to try, where the pattern asks for one in this message.
   * @returns Its payload.
   * @throws {SealError} When it was written by someone who has heard, or knows, something else. Then the state is what it was before, and another
   * key may be tried.
   */
  read(message: Uint8Array, preSharedKey: Uint8Array | undefined = this.#options.preSharedKey): Uint8Array {
    const before = { symmetric: this.#symmetric.clone(), turn: this.#turn };
    try {
      return this.#read(message, preSharedKey);
    } catch (error) {
      this.#symmetric = before.symmetric;
      this.#turn = before.turn;
      throw error;
    }
  }

  /** The ciphers of what this side sends, and of what it receives, once the handshake is over. */
  split(): { readonly outbound: CipherState; readonly inbound: CipherState } {
    const [first, second] = this.#symmetric.split();
    return this.#options.initiator ? { outbound: first, inbound: second } : { outbound: second, inbound: first };
  }

  #read(message: Uint8Array, preSharedKey: Uint8Array | undefined): Uint8Array {
    let at = 0;
    const take = (count: number) => {
      if (message.length - at < count) throw new SealError("Cannot read a message of the handshake: it is too short");
      return message.subarray(at, at += count);
    };
    for (const token of this.#nextTokens()) {
      if (token === "e") {
        this.#remoteEphemeral = take(KEY_BYTES).slice();
        this.#takeEphemeral(this.#remoteEphemeral);
      } else if (token === "s") {
        this.#remoteStatic = this.#symmetric.decryptAndHash(take(KEY_BYTES + this.#symmetric.overhead)).slice();
      } else {
        this.#mix(token, preSharedKey);
      }
    }
    return this.#symmetric.decryptAndHash(message.subarray(at));
  }

  #nextTokens(): readonly Token[] {
    const tokens = PATTERNS[this.#options.pattern][this.#turn++];
    if (tokens === undefined) throw new TypeError("Cannot go on with the handshake: it is over");
    return tokens;
  }

  #takeEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    if (this.#hasPreSharedKey) this.#symmetric.mixKey(publicKey);
  }

  #mix(token: Exclude<Token, "e" | "s">, preSharedKey: Uint8Array | undefined): void {
    if (token !== "psk") return this.#symmetric.mixKey(this.#agree(token));
    if (preSharedKey === undefined) throw new TypeError("Cannot go on with the handshake: there is no pre-shared key");
    this.#symmetric.mixKeyAndHash(preSharedKey);
  }

  /** Shared secret of the keys that a token names: the initiator's first, then the responder's. */
  #agree(token: "ee" | "es" | "se"): Uint8Array {
    const { initiator, staticKeys, ephemeralKeys } = this.#options;
    const [ours, theirs] = initiator ? [token[0], token[1]] : [token[1], token[0]];
    const keys = ours === "s" ? staticKeys : ephemeralKeys;
    try {
      return keys.agree((theirs === "s" ? this.#remoteStatic : this.#remoteEphemeral)!);
    } catch (cause) {
      // A point of low order, with which both sides would agree on zeros.
      throw new SealError("Cannot agree on a key: the other side's is not one", "forged", { cause });
    }
  }
}
