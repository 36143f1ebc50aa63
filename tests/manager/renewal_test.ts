// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async";
import { HandshakeRefusedError, type PeerServiceManager, startPeerService } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { scenario } from "./worlds.ts";
import { entryOf, firstOf, present } from "../values.ts";

const OLD = "the old secret of the cluster";
const NEW = "the new secret of the cluster";
const DAY_MS = 86_400_000;
const VALID = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };

/** Sends numbered messages from each node to each other one, acknowledged, until it is ended; each handler notes what it is given. */
class Traffic {
  readonly heard = new Map<string, number[]>();
  readonly downs: string[] = [];
  sent = 0;
  #over = false;
  readonly #senders: Promise<void>[] = [];

  constructor(nodes: readonly PeerServiceManager[]) {
    for (const to of nodes) {
      to.register("ear", (n: number, { from }) => void this.#of(from, to.name).push(n));
      to.onDown("*", (peer) => this.downs.push(`${to.name} lost ${peer}`));
      for (const from of nodes) if (from !== to) this.#senders.push(this.#send(from, to.name));
    }
  }

  /** Ends when all that was sent is acknowledged; then everything came once and in order, and no node was down. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#senders);
    let heard = 0;
    for (const [pair, numbers] of this.heard) {
      assertEquals(numbers, numbers.map((_, i) => i), pair);
      heard += numbers.length;
    }
    assertEquals(heard, this.sent);
    assertEquals(this.downs, []);
  }

  async #send(from: PeerServiceManager, to: string): Promise<void> {
    for (let n = 0; !this.#over; n++) {
      this.sent++;
      await from.forwardMessage(to, "ear", n, { ack: true });
    }
  }

  #of(from: string, to: string): number[] {
    const pair = `${from} to ${to}`;
    if (!this.heard.has(pair)) this.heard.set(pair, []);
    return entryOf(this.heard, pair);
  }
}

const former = (nodes: readonly PeerServiceManager[]) => nodes.map((node) => node.stats().trust.former);

scenario(
  "updateSecrets() makes every connection anew, under traffic, without a message lost or a node down",
  async (world) => {
    const nodes = await world.cluster(["a", "b", "c"], { secret: OLD, channels: { bulk: { parallelism: 2 } } });
    await world.opened(nodes);
    const traffic = new Traffic(nodes);
    for (const secrets of [[OLD, NEW], [NEW, OLD], [NEW]]) {
      for (const node of nodes) await node.updateSecrets(secrets);
      await world.until("nothing stands on former secrets", () => former(nodes).every((count) => count === 0));
      assertEquals(nodes.map((node) => node.stats().trust.current), [8, 8, 8]);
    }
    await traffic.end();
    const late = await world.start("late", { secret: OLD });
    const refused = await assertRejects(() => late.syncJoin(nodes[0].spec), HandshakeRefusedError);
    assertEquals(refused.refusal.code, "secret");
    const fresh = await world.start("fresh", { secret: NEW });
    await fresh.syncJoin(nodes[1].spec);
  },
);

scenario(
  "A peer that does not have the new secret keeps its connections, which is told, until it has it",
  async (world) => {
    const nodes = await world.cluster(["a", "b"], { secret: OLD });
    await world.opened(nodes);
    const [a, b] = nodes as [PeerServiceManager, PeerServiceManager];
    const traffic = new Traffic(nodes);
    const warnings: string[] = [];
    for (const node of nodes) {
      node.addEventListener("warning", ({ detail }) => warnings.push(`${detail.code} ${detail.node}`));
    }
    await a.updateSecrets(NEW);
    assertEquals(a.stats().trust, { current: 0, former: 2 });
    assert(warnings.includes("renewal b"));
    await b.updateSecrets(NEW);
    await world.until("nothing stands on the old secret", () => former(nodes).every((count) => count === 0));
    await traffic.end();
  },
);

scenario("updateSecrets() and updateTls() refuse what cannot be used, and change nothing", async (world) => {
  const nodes = await world.cluster(["a", "b"], { secret: OLD });
  await world.opened(nodes);
  const [a] = nodes;
  for (const secrets of [[], "", ["right", ""], new Array(9).fill("x")]) {
    await assertRejects(() => a.updateSecrets(secrets), TypeError, "Cannot update the secrets");
  }
  await assertRejects(() => a.updateTls({ cert: "", key: "", ca: "" }), TypeError, 'without "tls"');
  assertEquals(a.stats().trust, { current: 2, former: 0 });
});

Deno.test("secrets are rotated while connections are cut, in any order of nodes, and nothing acknowledged is lost", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    await using cluster = await SimulatedCluster.start({ seed, nodes: 5, options: { secret: OLD } });
    const { world, nodes } = cluster;
    const random = world.random("rotation");
    const traffic = new Traffic(nodes);
    const updates: Promise<void>[] = [];
    for (const [step, secrets] of [[OLD, NEW], [NEW]].entries()) {
      for (const node of nodes) {
        world.schedule(5_000 * step + random.int(3_000), () => updates.push(node.updateSecrets(secrets)));
      }
    }
    for (let cut = 0; cut < 40; cut++) {
      const [from, to] = [present(nodes[random.int(5)]), present(nodes[random.int(5)])];
      world.schedule(random.int(9_000), () => cluster.reset(from.name, to.name));
    }
    await cluster.advance(12_000);
    assert(await cluster.runUntil(() => former(cluster.nodes).every((count) => count === 0)), `seed ${seed}`);
    assertEquals(updates.length, 10);
    await world.wait(Promise.all(updates), 10_000);
    // Cuts are seen as such; renewal alone is not.
    traffic.downs.length = 0;
    await world.wait(traffic.end(), 60_000);
  }
});

Deno.test("updateTls() renews certificates and replaces the authority in a running cluster, under traffic", async () => {
  const [before, after] = [await makeAuthority("before", VALID), await makeAuthority("after", VALID)];
  const names = ["a", "b", "c"];
  const credentials = async (name: string, issuer: typeof before, ca: readonly string[]) => {
    return { ...await makeCertificate(issuer, [name], VALID), ca };
  };
  const nodes: PeerServiceManager[] = [];
  try {
    for (const name of names) {
      nodes.push(await startPeerService({ name, tls: await credentials(name, before, [before.cert]) }));
    }
    for (const node of nodes.slice(1)) await node.syncJoin(firstOf(nodes).spec);
    const traffic = new Traffic(nodes);
    for (const [issuer, ...ca] of [[before, before, after], [after, before, after], [after, after]] as const) {
      for (const node of nodes) await node.updateTls(await credentials(node.name, issuer, ca.map(({ cert }) => cert)));
      await deadline(settled(nodes), 20_000);
    }
    await traffic.end();
    await assertRejects(
      () => firstOf(nodes).updateTls({ cert: before.cert, ca: after.cert, key: after.key }),
      TypeError,
      "not that of",
    );
    await using late = await startPeerService({ name: "late", tls: await credentials("late", before, [before.cert]) });
    await assertRejects(() => late.syncJoin(firstOf(nodes).spec), Error, "ertificate");
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});

/** Resolves once nothing stands on former certificates. */
async function settled(nodes: readonly PeerServiceManager[]): Promise<void> {
  while (former(nodes).some((count) => count > 0)) await new Promise((resolve) => setTimeout(resolve, 10));
}
