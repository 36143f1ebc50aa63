// Copyright 2026 the Partisan peer-service authors. MIT license.

import { delay, type PeerServiceManager } from "../../mod.ts";

/** Has a node drop and delay a share of the messages that come in. */
export function disturb(
  node: PeerServiceManager,
  random: () => number,
  { drop, late }: { drop: number; late: number },
) {
  node.addInterpositionFun("disturb", ({ type, message }) => {
    if (type === "forward_message") return message;
    const fate = random();
    return fate < drop ? undefined : fate < drop + late ? delay(message) : message;
  });
}
