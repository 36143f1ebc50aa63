// Copyright 2026 the Partisan peer-service authors. MIT license.

import { attributesFromValue, attributesToValue } from "../gossip/attribute_message.ts";
import { Attributes, type AttributesStep } from "../gossip/attributes.ts";
import { entryToValue } from "../groups/group_entry.ts";
import { GroupIndex } from "../groups/group_index.ts";
import { decode } from "../wire/message_pack_decode.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { interleave, type Subject } from "./subject.ts";
import { timePerRun } from "./work.ts";

const NODES = 50;
const ENTRIES = 2_000;
const GROUPS = 500;
const MS_PER_ROUND = 50;

/** Cost of 100,000 memberships of groups, 2,000 of each of 50 nodes: each node's memory, and the time of a change of one of them. */
export const groups: Subject = {
  name: "groups",
  title: "100,000 memberships of groups over 50 nodes, as one node keeps them",
  baseline: "encode and decode the change",
  async measure({ rounds }, report) {
    const before = Deno.memoryUsage();
    const { observer, index, owners } = fill();
    const after = Deno.memoryUsage();
    let turn = 0;
    const change = () => {
      const owner = owners[turn % NODES]!;
      set(owner, turn % ENTRIES, { tab: turn++ });
      return owner;
    };
    const [baseline, own] = await interleave(rounds, [
      () => timed(() => decode(encode(entryToValue("g", entry({ tab: turn++ }))))),
      () => timed(() => tell(change(), observer, index)),
    ]);
    const what = "a change at its owner, over the wire, into the index of another node";
    report.row("groups", { what, unit: "µs", baseline: baseline!, ours: own! });
    const mebibytes = (after.heapUsed + after.external - before.heapUsed - before.external) / 2 ** 20;
    report.remark(
      "groups",
      `a node keeps ${NODES * ENTRIES} memberships in ${mebibytes.toFixed(0)} MiB, garbage included`,
    );
  },
};

/** In microseconds. */
function timed(work: () => unknown): Promise<number> {
  return Promise.resolve(timePerRun(work, MS_PER_ROUND) / 1_000);
}

function fill(): { observer: Attributes; index: GroupIndex; owners: Attributes[] } {
  const observer = attributes("observer");
  const index = new GroupIndex();
  const owners = Array.from({ length: NODES }, (_, node) => attributes(`node-${node}`));
  for (const [node, owner] of owners.entries()) {
    observer.show(`node-${node}`, 1, true);
    owner.addNeighbour("observer");
    for (let number = 0; number < ENTRIES; number++) set(owner, number, { tab: number });
    tell(owner, observer, index);
  }
  return { observer, index, owners };
}

function attributes(name: string): Attributes {
  const options = { random: () => 0.5, fanout: 3, bytesMax: 1_048_576, ownersMax: 1_000, expireAfter: null };
  return new Attributes({ name, incarnation: 1 }, options);
}

function entry(meta: unknown) {
  return { node: "", id: "", meta, since: 1_767_225_600_000, weight: 1, takesMessages: true };
}

function set(owner: Attributes, number: number, meta: unknown): void {
  owner.set(`g/default/${number.toString(36)}`, encode(entryToValue(`group-${number % GROUPS}`, entry(meta))));
}

/** Hands the observer what an owner has changed, as it comes off the wire. */
function tell(owner: Attributes, observer: Attributes, index: GroupIndex): number {
  for (const { message } of owner.flush().outgoing) {
    const received = attributesFromValue(decode(encode(attributesToValue(message))));
    take(observer.receive("owner", received, 0), index);
  }
  return observer.bytes;
}

function take({ events }: AttributesStep, index: GroupIndex): void {
  for (const { node, key, value } of events) index.set(node, key, value === undefined ? undefined : decode(value));
}
