// Copyright 2026 the Partisan peer-service authors. MIT license.

import { secretWeakness } from "../connections/handshake/secret_weakness.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Emit } from "./events.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";
import { isLoopback, postureOf } from "./posture.ts";
import type { Settings } from "./settings.ts";

/** Warns, when the node starts, of what makes it easy to get in. */
export class PostureWarnings implements Part {
  readonly #context: NodeContext;
  #timer: Timer | undefined;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Warns a little later: who starts a node can listen to it only once that is done. */
  start(): void {
    const { runtime, settings, emit } = this.#context;
    const { trust, beyondLoopback } = postureOf(settings);
    if (trust === "open" && !beyondLoopback) return;
    this.#timer = runtime.clock.schedule(0, () => {
      warnOfWeakSecrets(settings.secrets.reveal(), emit);
      warnOfOpenness(settings, emit);
    });
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

/** Warns of openness, unless a runtime was given: its address is not known to be a port of this host. */
function warnOfOpenness(settings: Settings, emit: Emit): void {
  const { trust, beyondLoopback } = postureOf(settings);
  if (trust !== "open" || !beyondLoopback || settings.isEmbedded) return;
  const where = settings.listen.filter((address) => !isLoopback(address)).map(({ hostname }) => hostname);
  const message = `The node listens beyond loopback, at ${where.join(", ")}, without "secret" and "tls": ` +
    "everyone who reaches it may join, read and change what it says; give all nodes one of the two, or listen at 127.0.0.1";
  emit("warning", { code: "open-cluster", message });
}
