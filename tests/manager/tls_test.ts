// Copyright 2026 the Partisan peer-service authors. MIT license.

import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type CertificateAuthority, makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { HandshakeRefusedError } from "../../connections/handshake/refusal.ts";
import { startPeerService } from "../../manager/start_peer_service.ts";
import type { TrustDetail } from "../../manager/events.ts";
import { forEachOf } from "../tuples.ts";
import { scenario } from "./worlds.ts";
import { CertificateError } from "../../transport/tls/certificate_error.ts";
import { firstOf, present, takeOf } from "../values.ts";

const DAY_MS = 86_400_000;
const valid = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };
const authority = await makeAuthority("Partisan test", valid);
const foreign = await makeAuthority("Another authority", valid);

async function start(name: string, shown = name, issuer: CertificateAuthority = authority) {
  const certificate = await makeCertificate(issuer, [shown], valid);
  return startPeerService({ name, tls: { ...certificate, ca: authority.cert } });
}

Deno.test("nodes with certificates for their names join over TLS and talk", async () => {
  await using a = await start("a");
  await using b = await start("b");
  const heard = Promise.withResolvers<unknown>();
  a.register("ear", heard.resolve);
  await b.syncJoin(a.spec);
  await b.forwardMessage("a", "ear", { n: 1 }, { ack: true });
  assertEquals(await heard.promise, { n: 1 });
});

Deno.test("syncJoin() rejects when a certificate is for another name, at either end", async () => {
  await using a = await start("a");
  await using wrong = await start("b", "c");
  const refused = await assertRejects(() => wrong.syncJoin(a.spec), HandshakeRefusedError);
  assertEquals(refused.refusal.code, "certificate");
  await using right = await start("d");
  const refusing = await assertRejects(() => right.syncJoin(wrong.spec), HandshakeRefusedError);
  assertEquals(refusing.refusal.code, "certificate");
});

Deno.test("a trust event tells who was refused within TLS and why, and of no node that only connects and closes", async () => {
  await using a = await start("a");
  const { hostname, port } = firstOf(a.spec.addresses);
  const told: TrustDetail[] = [];
  let wake = () => {};
  a.addEventListener("trust", ({ detail }) => {
    told.push(detail);
    wake();
  });
  const next = async () => {
    if (told.length === 0) await new Promise<void>((resolve) => wake = resolve);
    return present(told.shift());
  };
  (await Deno.connect({ hostname, port })).close();
  await using wrong = await start("b", "c");
  await assertRejects(() => wrong.syncJoin(a.spec), HandshakeRefusedError);
  const { kind, node, reason } = await next();
  assertEquals([kind, node], ["refused", "b"]);
  assertMatch(reason, /its certificate is for "c"/);
  await using fresh = await start("d");
  const { hostname: host, port: other } = firstOf(fresh.spec.addresses);
  fresh.addEventListener("trust", ({ detail }) => {
    told.push(detail);
    wake();
  });
  await using stranger = await start("e", "e", foreign);
  await assertRejects(() => stranger.syncJoin(`${host}:${other}`), CertificateError);
  const word = await next();
  assertEquals([word.kind, word.node], ["refused", undefined]);
  assertMatch(word.reason, /^Cannot accept "127\.0\.0\.1:\d+": TLS failed; it may show no certificate of "ca"/);
  assertMatch(present(word.address), /^127\.0\.0\.1:\d+$/);
  assertEquals(told, []);
});

Deno.test("syncJoin() names what is wrong with the acceptor's certificate", async () => {
  await using a = await start("a");
  await using stranger = await start("b", "b", foreign);
  assertEquals((await assertRejects(() => a.syncJoin(stranger.spec), CertificateError)).code, "unknown-ca");
});

Deno.test("a node without TLS and one with it never join, whichever dials", async () => {
  await using a = await start("a");
  await using plain = await startPeerService({ name: "plain" });
  for (const [from, to] of [[plain, a], [a, plain]] as const) {
    await assertRejects(() => from.syncJoin(to.spec, { signal: AbortSignal.timeout(300) }));
  }
  assertEquals([a.members(), plain.members()], [["a"], ["plain"]]);
});

Deno.test("a function in place of identity decides which certificates are for which node, and updateTls() replaces it", async () => {
  const asked: string[] = [];
  const certificate = await makeCertificate(authority, ["spiffe://here/b"], valid);
  const tls = { ...certificate, ca: authority.cert };
  await using b = await startPeerService({ name: "b", tls: { ...tls, identity: () => true } });
  const own = await makeCertificate(authority, ["a"], valid);
  await using a = await startPeerService({
    name: "a",
    tls: {
      ...own,
      ca: authority.cert,
      identity: ({ uris }, { name }) => {
        asked.push(`${name} ${uris}`);
        return uris.includes(`spiffe://here/${name}`);
      },
    },
  });
  await b.syncJoin(a.spec);
  assert(asked.includes("b spiffe://here/b"));
  const warned: unknown[] = [];
  a.addEventListener("warning", ({ detail }) => warned.push(`${detail.code} ${detail.node}`));
  await a.updateTls({ ...own, ca: authority.cert, identity: "name" });
  assertEquals(warned, ["renewal b"]);
  assert(a.stats().trust.former > 0);
});

Deno.test("with tls and a secret, both are asked for, and messages flow", async () => {
  const [certA, certB, certC] = await Promise.all(
    forEachOf(["a", "b", "c"], (name) => makeCertificate(authority, [name], valid)),
  );
  const secret = "what only members know";
  const ca = authority.cert;
  await using a = await startPeerService({ name: "a", secret, tls: { ...certA, ca } });
  await using b = await startPeerService({ name: "b", secret, tls: { ...certB, ca } });
  await using c = await startPeerService({ name: "c", tls: { ...certC, ca } });
  a.register("double", (n: number) => n * 2);
  await b.syncJoin(a.spec);
  assertEquals(await b.call("a", "double", 21), 42);
  assertEquals((await assertRejects(() => c.syncJoin(a.spec), HandshakeRefusedError)).refusal.code, "secret");
});

Deno.test("admit is given the certificate, and who is revoked cannot come back", async () => {
  const revoked = new Set<string>();
  const [certA, certB] = takeOf(
    await Promise.all(["a", "b"].map((name) => makeCertificate(authority, [name], valid))),
    2,
  );
  const ca = authority.cert;
  await using a = await startPeerService({
    name: "a",
    tls: { ...certA, ca },
    admit: (_spec, certificate) => !revoked.has(present(certificate).fingerprint256),
  });
  {
    await using b = await startPeerService({ name: "b", tls: { ...certB, ca } });
    await b.syncJoin(a.spec);
    await b.leave();
  }
  revoked.add(new X509Certificate(certB.cert).fingerprint256);
  await using again = await startPeerService({ name: "b", tls: { ...certB, ca } });
  const refused = await assertRejects(() => again.syncJoin(a.spec), HandshakeRefusedError);
  assertEquals(refused.refusal, { code: "not-admitted", reason: 'Cannot admit "b": the option "admit" says no' });
});

scenario(
  "admit has the last word at both ends, may take its time, and what it throws is told and counts as no",
  async (world) => {
    const a = await world.start("a", { admit: ({ name }) => Promise.resolve(name !== "b") });
    const b = await world.start("b");
    const c = await world.start("c", {
      admit: () => {
        throw new Error("no such directory");
      },
    });
    const d = await world.start("d");
    for (const [from, to] of [[b, a], [a, b], [c, d], [d, c]] as const) {
      assertEquals(
        (await assertRejects(() => from.syncJoin(to.spec), HandshakeRefusedError)).refusal.code,
        "not-admitted",
      );
    }
    await d.syncJoin(a.spec);
    const told = world.errors.splice(0).map(({ during, error }) => `${during}: ${(error as Error).message}`);
    assertEquals(new Set(told), new Set(['asking "admit" about "d": no such directory']));
  },
);

scenario("a question to admit that is never answered is given up when the node stops", async (world) => {
  const asked = Promise.withResolvers<void>();
  const a = await world.start("a", {
    admit: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const b = await world.start("b");
  const joining = b.syncJoin(a.spec).catch(() => {});
  await asked.promise;
  await a.stop();
  await b.stop();
  await joining;
});
