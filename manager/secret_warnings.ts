// Copyright 2026 the Partisan peer-service authors. MIT license.

import { secretWeakness } from "../connections/handshake/secret_weakness.ts";
import type { Emit } from "./events.ts";

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
