// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Nothing } from "./commands.ts";
import { messageOf } from "./payload.ts";
import type { Stage } from "./stage.ts";

/** Handler that echoes, on the first connection, and handler that swallows, on the second. */
const BULK = 1;

/** Swallows what comes in bulk, and keeps none of it. */
export function serveBulk(stage: Stage, _: Nothing): void {
  stage.bulk = { seen: 0, running: true };
  const { bulk } = stage;
  stage.end.on(
    BULK,
    () => {
      bulk.seen++;
    },
    true,
  );
}

/** Begins to send in bulk, as fast as it is taken, until {@linkcode stopBulk}. */
export function startBulk(stage: Stage, { size }: { size: number }): void {
  stage.bulk = { seen: 0, running: true };
  const { end, bulk } = stage;
  const message = messageOf(size);
  const send = async () => {
    while (bulk.running) {
      if (!end.send(BULK, message)) await end.ready(BULK);
      bulk.seen++;
    }
  };
  send();
}

/** Ends it. @returns Messages in bulk so far. */
export function stopBulk({ bulk }: Stage, _: Nothing): number {
  bulk.running = false;
  return bulk.seen;
}
