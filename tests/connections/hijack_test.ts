// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { HandshakeRefusedError } from "../../connections/handshake/refusal.ts";
import { hash, keyPair } from "../../connections/noise/primitives.ts";
import { nodeSpec } from "../node_spec.ts";
import { clusterIdentity } from "./cluster_identity.ts";
import { pattern } from "./fake_stream.ts";
import { assertConnected, type PoolNode, PoolWorld, wantEachOther } from "./pool_world.ts";
import { present } from "../values.ts";

/* Row 5 of the issue on trust: a holder of the secret takes the name of a node that lives. */

const SECRETS = ["s3cret"];

/** Three nodes, of which "m" holds the secret and means ill. */
async function world(): Promise<{ world: PoolWorld; a: PoolNode; b: PoolNode; m: PoolNode }> {
  const world = new PoolWorld({ seed: 5 });
  const start = (name: string) => world.start(name, { secrets: SECRETS });
  const [a, b, m] = [await start("a"), await start("b"), await start("m")];
  wantEachOther(a, b);
  await world.advance(1000);
  assertConnected(world, [a, b]);
  return { world, a, b, m };
}

Deno.test("a name at its present incarnation cannot be taken with another key, whatever the number of the dial", async () => {
  const { world: network, a, b, m } = await world();
  const membership = a.peer("b").membership;
  for (const key of [present(m.spec.key), present(b.spec.key)]) {
    // It says that it is "b", with its own key or with that of "b", which it cannot prove.
    m.spec = nodeSpec("b", b.spec.incarnation, { addresses: m.spec.addresses, key });
    for (let attempt = 0; attempt < 3; attempt++) {
      const reaching = m.pool.reach("a", a.spec.addresses);
      reaching.catch(() => {});
      await network.advance(200);
      await assertRejects(() => reaching, Error, key === b.spec.key ? "" : "another living node has the name");
    }
  }
  assertStrictEquals(a.peer("b").membership, membership);
  assertConnected(network, [a, b]);
  assertEquals(a.newlyTold().filter((word) => word.startsWith("down")), []);
  a.greet("b");
  await network.advance(100);
  assert(b.messages.length > 0 && m.messages.length === 0);
});

Deno.test("a newer incarnation of a name with another key is let in only when the former one does not answer", async () => {
  const { world: network, a, b, m } = await world();
  m.spec = nodeSpec("b", b.spec.incarnation + 1, { addresses: m.spec.addresses, key: present(m.spec.key) });
  const reaching = m.pool.reach("a", a.spec.addresses);
  reaching.catch(() => {});
  await network.advance(1500);
  const error = await assertRejects(() => reaching, HandshakeRefusedError);
  assertEquals(error.refusal.code, "name-in-use");
  assertConnected(network, [a, b]);

  network.world.crash("b");
  await network.advance(100);
  const again = m.pool.reach("a", a.spec.addresses);
  await network.advance(5000);
  await again;
  assertEquals(a.peer("b").incarnation, b.spec.incarnation + 1);
});

Deno.test("a node that answers a dial with the name of another one, but not with its key, is refused", async () => {
  const { world: network, a, b, m } = await world();
  const stranger = keyPair(hash(pattern(5), pattern(6)));
  const impostor = await network.start("impostor", { secrets: SECRETS, identity: { keys: stranger } });
  impostor.spec = nodeSpec("b", b.spec.incarnation, { addresses: impostor.spec.addresses, key: stranger.publicKey });
  const dialing = a.pool.reach(null, impostor.spec.addresses);
  dialing.catch(() => {});
  await network.advance(500);
  const error = await assertRejects(() => dialing, HandshakeRefusedError);
  assertEquals(error.refusal.code, "name-in-use");
  await network.advance(1000);
  assertConnected(network, [a, b]);
  assertEquals(m.pool.peers.size, 0);
});

Deno.test("the key of a peer whose specification came without one is learnt at its first connection", async () => {
  const network = new PoolWorld();
  const [a, b] = [await network.start("a", { secrets: SECRETS }), await network.start("b", { secrets: SECRETS })];
  const { key, ...keyless } = b.spec;
  a.pool.want([keyless]);
  await network.advance(1000);
  assertEquals(a.peer("b").spec.key, key);
  const { keys } = await clusterIdentity(network.world.node("x"), "b", SECRETS);
  assertEquals(present(keys).publicKey, present(key));
});
