// Copyright 2026 the Partisan peer-service authors. MIT license.

import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type CertificateAuthority, makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { CertificateError, HandshakeRefusedError, type PeerServiceManager, startPeerService } from "../../mod.ts";
import { TlsTransport } from "../../transport/tls/tls_transport.ts";
import { firstOf, present } from "../values.ts";

/* What becomes of a node that shows a certificate of each kind, and what its user is told. */

const DAY_MS = 86_400_000;
const VALID = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };
const EXPIRED = { from: new Date(Date.now() - 2 * DAY_MS), to: new Date(Date.now() - DAY_MS) };
const authority = await makeAuthority("ours", VALID);
const foreign = await makeAuthority("another authority", VALID);
const ca = authority.cert;

const issued = (name: string, issuer: CertificateAuthority = authority, validity = VALID) =>
  makeCertificate(issuer, [name], validity);

/** An acceptor that lets in whose certificate was not revoked. */
async function acceptor(revoked: ReadonlySet<string> = new Set()): Promise<PeerServiceManager> {
  return await startPeerService({
    name: "acceptor",
    tls: { ...await issued("acceptor"), ca },
    admit: (_, certificate) => !revoked.has(present(certificate).fingerprint256),
  });
}

/** Error that the user of the node "dialer" gets, which joins with a certificate. */
async function join(certificate: { cert: string; key: string }, to: PeerServiceManager): Promise<string> {
  await using dialer = await startPeerService({ name: "dialer", tls: { ...certificate, ca } });
  try {
    await dialer.syncJoin(to.spec);
    await dialer.leave();
    return "joined";
  } catch (error) {
    if (error instanceof CertificateError) return `CertificateError, ${error.code}`;
    if (error instanceof HandshakeRefusedError) return `HandshakeRefusedError, ${error.refusal.code}`;
    throw error;
  }
}

const MATRIX = [
  ["of another authority", () => issued("dialer", foreign), "CertificateError, refused"],
  ["that has expired", () => issued("dialer", authority, EXPIRED), "CertificateError, expired"],
  ["for another name", () => issued("other"), "HandshakeRefusedError, certificate"],
  ["for its name", () => issued("dialer"), "joined"],
] as const;

for (const [what, certificate, told] of MATRIX) {
  Deno.test(`mTLS: a node with a certificate ${what} is told: ${told}`, async () => {
    await using to = await acceptor();
    assertEquals(await join(await certificate(), to), told);
    assertEquals(to.members(), ["acceptor"]);
  });
}

Deno.test("mTLS: where one of two nodes alone has tls, each is told by its attempts to join", async () => {
  await using plain = await startPeerService({ name: "plain", preset: "local", log: false });
  await using sealed = await startPeerService({
    name: "sealed",
    preset: "local",
    log: false,
    tls: { ...await issued("sealed"), ca },
  });
  const failure = async (from: PeerServiceManager, to: PeerServiceManager) =>
    (await assertRejects(() => from.syncJoin(to.spec, { signal: AbortSignal.timeout(500) }), DOMException)).message;
  assertMatch(
    await failure(plain, sealed),
    /does not speak this protocol: .* \(TLS begins so: one side alone speaks it\)/,
  );
  assertMatch(await failure(sealed, plain), /: what answers there does not speak TLS: /);
});

Deno.test("mTLS: a client without a certificate is refused, and the operator is told", async () => {
  await using to = await acceptor();
  const { hostname, port } = firstOf(to.spec.addresses);
  const told = Promise.withResolvers<string>();
  to.addEventListener("trust", ({ detail }) => told.resolve(`${detail.kind}: ${detail.reason}`));
  const heard: Uint8Array[] = [];
  const socket = connect({ host: hostname, port, ca, checkServerIdentity: () => undefined });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  socket.on("data", (bytes: Uint8Array) => heard.push(bytes));
  assertMatch(await told.promise, /^refused: .*certificate/);
  await closed;
  assertEquals([heard, to.members(), to.connected()], [[], ["acceptor"], []]);
});

Deno.test("mTLS: a node whose certificate has expired joins once it is renewed, without a restart", async () => {
  await using to = await acceptor();
  await using dialer = await startPeerService({
    name: "dialer",
    tls: { ...await issued("dialer", authority, EXPIRED), ca },
  });
  assertEquals((await assertRejects(() => dialer.syncJoin(to.spec), CertificateError)).code, "expired");
  await dialer.updateTls({ ...await issued("dialer"), ca });
  await dialer.syncJoin(to.spec);
  assertEquals(to.members(), ["acceptor", "dialer"]);
});

Deno.test("mTLS: a node whose certificate was revoked is told so by its fingerprint, and one that was issued anew is let in", async () => {
  const [lost, reissued] = [await issued("dialer"), await issued("dialer")];
  await using to = await acceptor(new Set([new X509Certificate(lost.cert).fingerprint256]));
  assertEquals(await join(lost, to), "HandshakeRefusedError, not-admitted");
  assertEquals(await join(reissued, to), "joined");
});

Deno.test("mTLS: a node does not start on a Deno that lets clients in without a certificate", async () => {
  const certificate = await issued("dialer");
  const { prove } = TlsTransport.prototype;
  TlsTransport.prototype.prove = () => Promise.reject(new Error("this release lets every node in"));
  try {
    const starting = () => startPeerService({ name: "dialer", tls: { ...certificate, ca } });
    await assertRejects(starting, Error, "this release lets every node in");
  } finally {
    TlsTransport.prototype.prove = prove;
  }
});
