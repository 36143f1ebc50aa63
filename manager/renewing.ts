// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SharedSecrets } from "../connections/handshake/shared_secrets.ts";
import type { RenewalFailure } from "../connections/renewal.ts";
import type { TlsOptions } from "./identity.ts";
import type { Node } from "./node.ts";
import { warnOfWeakSecrets } from "./posture_warnings.ts";
import { Secrets } from "./secrets.ts";

/** Shows and trusts other certificates from now on, and has the connections made anew. */
export async function updateTls({ context }: Node, tls: TlsOptions): Promise<void> {
  context.checkRunning("update the certificates");
  if (context.settings.tls === undefined) {
    throw new TypeError('Cannot update the certificates: the node was started without "tls"');
  }
  context.settings.tls.update(tls);
  tell(context, await context.pool.renewal.renew());
}

/** Proves and accepts other secrets from now on, and has the connections made anew. */
export async function updateSecrets({ context }: Node, secret: string | readonly string[]): Promise<void> {
  context.checkRunning("update the secrets");
  const secrets = new Secrets("update the secrets", secret).reveal();
  if (secrets.length === 0) {
    throw new TypeError("Cannot update the secrets: there are none, and a node does not become open while it runs");
  }
  const { runtime, settings } = context;
  if (settings.secrets.count === 0) {
    throw new TypeError('Cannot update the secrets: the node was started without "secret", so it has no key to prove');
  }
  const shared = await SharedSecrets.stretch(runtime, settings.cluster, secrets);
  context.checkRunning("update the secrets");
  warnOfWeakSecrets(secrets, context.emit);
  tell(context, await context.pool.renewal.renew(shared));
}

/** One warning for each peer that still stands on what was before. */
function tell({ emit, stopped }: Node["context"], failures: readonly RenewalFailure[]): void {
  if (stopped) return;
  const byNode = Map.groupBy(failures, ({ node }) => node);
  for (const [node, [first, ...others]] of byNode) {
    const error = first!.error;
    const detail = error instanceof Error ? `: ${error.message}` : "";
    const count = 1 + others.length;
    const message = `Cannot renew ${count} connections with "${node}"${detail}; ` +
      "they go on as they are, and are tried again: give that node the new secrets or certificates as well";
    emit("warning", { code: "renewal", message, node, error });
  }
}
