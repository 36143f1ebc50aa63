// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SECRETS_MAX } from "../connections/handshake/shared_secrets.ts";

/**
 * The secrets that a node was started with. Whatever writes down the values that it finds, such as a logger, `JSON.stringify`,
 * `structuredClone` or `Deno.inspect`, does not find them.
 */
export class Secrets {
  readonly #all: readonly string[];

  /**
   * Takes one secret, or several.
   *
   * @throws {TypeError} When they cannot be used.
   */
  constructor(action: string, secret: string | readonly string[]) {
    const secrets = typeof secret === "string" ? [secret] : secret;
    if (
      !Array.isArray(secrets) || secrets.length > SECRETS_MAX ||
      secrets.some((secret) => typeof secret !== "string" || secret === "")
    ) {
      throw new TypeError(`Cannot ${action}: "secret" must be a non-empty string, or up to ${SECRETS_MAX} of them`);
    }
    this.#all = [...secrets];
  }

  /** Number of secrets; 0 when the cluster is open. */
  get count(): number {
    return this.#all.length;
  }

  /** The secrets, the preferred one first. */
  reveal(): readonly string[] {
    return this.#all;
  }
}
