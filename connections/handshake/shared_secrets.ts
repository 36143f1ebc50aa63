// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";
import { stretch } from "../noise/primitives.ts";

/** Most secrets that a node accepts at a time. */
export const SECRETS_MAX = 8;

const LABEL = "partisan secret\0";

/** Makes a key of a secret and a salt. */
export type KeyDerivation = (secret: Uint8Array, salt: Uint8Array) => Promise<Uint8Array>;

/**
 * The secrets of a cluster: the first one is used to dial, and all are accepted, so that they can be rotated. Each is stretched once; the name of
 * the cluster is the salt, so one secret in two clusters makes two keys.
 */
export class SharedSecrets {
  readonly #accepted: readonly Uint8Array[];

  private constructor(accepted: readonly Uint8Array[]) {
    this.#accepted = accepted;
  }

  /**
   * Stretches secrets.
   *
   * @param derive Makes a key of a secret and a salt, slowly; the same one on all nodes.
   * @throws {RangeError} When there are too many, or an empty one.
   */
  static async stretch(
    runtime: Runtime,
    cluster: string,
    secrets: readonly string[],
    derive: KeyDerivation = (secret, salt) => runtime.stretch?.(secret, salt) ?? stretch(secret, salt),
  ): Promise<SharedSecrets> {
    if (secrets.length > SECRETS_MAX) {
      throw new RangeError(`Cannot use the secrets: there are ${secrets.length}, the limit is ${SECRETS_MAX}`);
    }
    if (secrets.includes("")) throw new RangeError("Cannot use the secrets: one of them is empty");
    const encoder = new TextEncoder();
    const salt = encoder.encode(LABEL + cluster);
    const keys = Promise.all(secrets.map((secret) => derive(encoder.encode(secret), salt)));
    return new SharedSecrets(await runtime.outside(keys));
  }

  /** Whether there is none: the cluster is open. */
  get isOpen(): boolean {
    return this.#accepted.length === 0;
  }

  /** The pre-shared keys that are accepted, the preferred one first. */
  accepted(): readonly Uint8Array[] {
    return this.#accepted;
  }
}
