// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";

/** Makes a connection as if the handshake had found that the other side does not name a feature. */
export function withoutFeature(connection: Pick<Connection, "features">, feature: string): void {
  const features = new Set([...connection.features].filter((name) => name !== feature));
  Object.assign(connection, { features });
}
