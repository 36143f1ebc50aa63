// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type CertificateAuthority, makeAuthority, makeCertificate } from "../../../cli/certificates.ts";
import { systemClock } from "../../../runtime/system.ts";
import { CertificateError } from "../../../transport/tls/certificate_error.ts";
import { dial, holdBack } from "../../../transport/tls/sockets.ts";
import { TlsTransport } from "../../../transport/tls/tls_transport.ts";
import { outcomeOf } from "../exhausted_files.ts";
import { transportSubject } from "../transport_subject.ts";
import { testTransport } from "../transport_suite.ts";
import { present } from "../../values.ts";

const DAY_MS = 86_400_000;
const valid = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };
const expired = { from: new Date(Date.now() - 2 * DAY_MS), to: new Date(Date.now() - DAY_MS) };
const anywhere = { hostname: "127.0.0.1", port: 0 };
const authority = await makeAuthority("Partisan test", valid);
const foreign = await makeAuthority("Another authority", valid);
const trusted = await transport(authority, "a");

async function transport(issuer: CertificateAuthority, name: string, validity = valid): Promise<() => TlsTransport> {
  const shown = await makeCertificate(issuer, [name, `spiffe://test/${name}`], validity);
  return () => new TlsTransport({ clock: systemClock, tls: { ...shown, ca: authority.cert } });
}

testTransport("TLS", () => transportSubject(trusted()));

Deno.test("TLS: each end knows the names in the other one's certificate", async () => {
  const [near, far] = [(await transport(authority, "b"))(), trusted()];
  const accepted = Promise.withResolvers<Parameters<Parameters<TlsTransport["listen"]>[1]>[0]>();
  const listener = await far.listen(anywhere, accepted.resolve);
  const stream = await near.connect(listener.address);
  const other = await accepted.promise;
  assertEquals(stream.certificate?.dnsNames, ["a"]);
  assertEquals(other.certificate?.dnsNames, ["b"]);
  assertEquals(other.certificate?.uris, ["spiffe://test/b"]);
  assert(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(present(other.certificate).fingerprint256));
  stream.close();
  other.close();
  listener.close();
  await Promise.all([near.drained(), far.drained()]);
});

/** Error that a dialer gets that shows one thing to an acceptor that shows another, at the latest when it first reads. */
async function talk(near: TlsTransport, far: TlsTransport): Promise<CertificateError> {
  const listener = await far.listen(anywhere, (stream) => stream.close());
  try {
    return await assertRejects(async () => {
      const stream = await near.connect(listener.address);
      try {
        await stream.read(new Uint8Array(1));
      } finally {
        stream.close();
      }
    }, CertificateError);
  } finally {
    listener.close();
    await Promise.all([near.drained(), far.drained()]);
  }
}

Deno.test("TLS: a dialer that the acceptor does not trust learns why", async () => {
  assertEquals((await talk((await transport(foreign, "b"))(), trusted())).code, "refused");
  assertEquals((await talk((await transport(authority, "b", expired))(), trusted())).code, "expired");
});

Deno.test("TLS: connect() says what is wrong with the acceptor's certificate", async () => {
  assertEquals((await talk(trusted(), (await transport(foreign, "b"))())).code, "unknown-ca");
  assertEquals((await talk(trusted(), (await transport(authority, "b", expired))())).code, "refused");
});

Deno.test("TLS: update() changes what the next connection is shown, and leaves the open ones alone", async () => {
  const [near, far] = [trusted(), trusted()];
  const renewed = await makeCertificate(authority, ["renewed"], valid);
  const listener = await far.listen(anywhere, async (stream) => {
    await stream.write(Uint8Array.of(7));
    stream.close();
  });
  const before = await near.connect(listener.address);
  far.update({ ...renewed, ca: authority.cert });
  const after = await near.connect(listener.address);
  assertEquals(before.certificate?.dnsNames, ["a"]);
  assertEquals(after.certificate?.dnsNames, ["renewed"]);
  for (const stream of [before, after]) {
    assertEquals(await stream.read(new Uint8Array(9)), 1);
    stream.close();
  }
  listener.close();
  await Promise.all([near.drained(), far.drained()]);
});

Deno.test("TLS: connect() rejects with the signal's reason while the other end is silent", async () => {
  const silent = Deno.listen(anywhere);
  const controller = new AbortController();
  const connecting = trusted().connect(silent.addr as Deno.NetAddr, { signal: controller.signal });
  const conn = await silent.accept();
  await conn.read(new Uint8Array(1000));
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => connecting), reason);
  conn.close();
  silent.close();
});

Deno.test("TLS: a listener goes on accepting after the process ran out of open files", async () => {
  const program = new URL("open_files_program.ts", import.meta.url);
  assertEquals(await outcomeOf(program), { whileExhausted: 0, afterwards: 1 });
});

Deno.test("TLS: a socket can be held back on this Deno, so that its reader bounds what is kept", async () => {
  const server = Deno.listen(anywhere);
  const socket = await dial(server.addr as Deno.NetAddr, undefined);
  const conn = await server.accept();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  assert(holdBack(socket, true) && holdBack(socket, false));
  socket.destroy();
  conn.close();
  server.close();
  await closed;
});
