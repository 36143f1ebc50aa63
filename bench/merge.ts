// Copyright 2026 the Partisan peer-service authors. MIT license.

import { compareWithSummary } from "../gossip/anti_entropy.ts";
import { gossipFromValue, gossipToValue } from "../gossip/gossip_message.ts";
import { MembershipSet, type NodeSpec } from "../membership/mod.ts";
import { decode } from "../wire/message_pack_decode.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { interleave, type Subject } from "./subject.ts";
import { timePerRun } from "./work.ts";

const SIZES = [200, 1000];
const MS_PER_ROUND = 20;

/** Cost of gossip in processor time. */
export const merge: Subject = {
  name: "merge",
  title: "Merging what was received, and comparing replicas",
  baseline: "whole state",
  async measure({ rounds }, report) {
    for (const size of SIZES) {
      const set = cluster(size);
      const whole = wire(set);
      const restarted = MembershipSet.empty().add({ ...spec(0), incarnation: 2 });
      const delta = wire(restarted.delta);
      const [baseline, own, digest, summary] = await interleave(rounds, [
        () => timed(() => set.merge(received(whole))),
        () => timed(() => set.merge(received(delta))),
        () => timed(() => set.merge(restarted.delta).digest()),
        () => timed(() => compareWithSummary(set, set.dots())),
      ]);
      const common = { unit: "µs", baseline: baseline! };
      report.row("merge", { ...common, what: `${size} nodes: decode and merge a delta of one`, ours: own! });
      report.row("merge", { ...common, what: `${size} nodes: merge it, and compute the digest`, ours: digest! });
      report.row("merge", { ...common, what: `${size} nodes: compare with a summary`, ours: summary! });
      report.remark("merge", `${size} nodes: the whole state has ${whole.length} bytes, the delta ${delta.length}`);
    }
  },
};

function spec(index: number): NodeSpec {
  const plain = { parallelism: 1, monotonic: false, compression: false };
  return {
    name: `node-${index}@10.0.${index >> 8}.${index & 255}`,
    incarnation: 1,
    addresses: [{ hostname: `10.0.${index >> 8}.${index & 255}`, port: 9090 }],
    channels: { default: plain, membership: plain },
    metadata: {},
  };
}

function cluster(size: number): MembershipSet {
  let set = MembershipSet.empty();
  for (let index = 0; index < size; index++) set = set.merge(MembershipSet.empty().add(spec(index)).delta);
  return set;
}

function wire(delta: MembershipSet): Uint8Array {
  return encode(gossipToValue({ kind: "delta", delta, wanted: [] }));
}

function received(bytes: Uint8Array): MembershipSet {
  const message = gossipFromValue(decode(bytes));
  return message.kind === "delta" ? message.delta : MembershipSet.empty();
}

/** Microseconds that `work` takes. */
function timed(work: () => unknown): Promise<number> {
  return Promise.resolve(timePerRun(work, MS_PER_ROUND) / 1000);
}
