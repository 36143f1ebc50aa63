// Copyright 2026 the Partisan peer-service authors. MIT license.

import { secretWeakness } from "../connections/handshake/secret_weakness.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Emit } from "./events.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";

/** Warns of weak secrets when the node starts. */
export class SecretWarnings implements Part {
  readonly #context: NodeContext;
  #timer: Timer | undefined;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Warns a little later: who starts a node can listen to it only once that is done. */
  start(): void {
    const { runtime, settings: { secrets } } = this.#context;
    const { emit } = this.#context;
    if (secrets.length > 0) this.#timer = runtime.clock.schedule(0, () => warnOfWeakSecrets(secrets, emit));
  }

  stopping(): void {
    this.#timer?.cancel();
  }
}

/** Warns of secrets that are easy to guess; it never shows them. */
export function warnOfWeakSecrets(secrets: readonly string[], emit: Emit): void {
  for (const [index, secret] of secrets.entries()) {
    const weakness = secretWeakness(secret);
    if (weakness === null) continue;
    const which = secrets.length === 1 ? "" : ` (number ${index + 1} of ${secrets.length})`;
    const message = `${weakness}${which}: make one with "openssl rand -base64 24"`;
    emit("warning", { code: "weak-secret", message });
  }
}
