// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { type CertificateAuthority, makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { HandshakeRefusedError } from "../../connections/handshake/refusal.ts";
import { startPeerService } from "../../manager/start_peer_service.ts";
import { CertificateError } from "../../transport/tls/certificate_error.ts";

const DAY_MS = 86_400_000;
const valid = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };
const expired = { from: new Date(Date.now() - 2 * DAY_MS), to: new Date(Date.now() - DAY_MS) };
const authority = await makeAuthority("Partisan test", valid);
const foreign = await makeAuthority("Somebody else", valid);

async function start(name: string, shown = name, issuer: CertificateAuthority = authority, validity = valid) {
  const certificate = await makeCertificate(issuer, [shown], validity);
  return startPeerService({ name, tls: { ...certificate, ca: authority.cert, identity: "name" } });
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

Deno.test("syncJoin() rejects with a CertificateError when the acceptor does not trust the certificate", async () => {
  await using a = await start("a");
  await using stranger = await start("b", "b", foreign);
  assertEquals((await assertRejects(() => stranger.syncJoin(a.spec), CertificateError)).code, "refused");
  await using late = await start("c", "c", authority, expired);
  assertEquals((await assertRejects(() => late.syncJoin(a.spec), CertificateError)).code, "expired");
});
