// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { type PeerServiceOptions, startPeerService, type TlsOptions } from "../../mod.ts";
import { assertRefuses, type Refused } from "../refused_options.ts";

const DAY_MS = 86_400_000;
const valid = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };
const { cert: ca, ...authority } = await makeAuthority("Partisan test", valid);
const tls: TlsOptions = { ...await makeCertificate({ cert: ca, ...authority }, ["a"], valid), ca };

const REFUSED: readonly Refused[] = [
  [{}, TypeError, '"cert" is undefined, expected a string'],
  [{ ...tls, cert: new Uint8Array(1) }, TypeError, '"cert" is a Uint8Array, expected a string'],
  [{ cert: tls.cert, ca }, TypeError, '"key" is undefined, expected a string'],
  [{ ...tls, key: { path: "a.key" } }, TypeError, '"key" is an object, expected a string'],
  [{ cert: tls.cert, key: tls.key }, TypeError, '"ca" is undefined, expected a string or a list of strings'],
  [{ ...tls, ca: [5] }, TypeError, '"ca" is an array, expected a string or a list of strings'],
  [{ ...tls, clientAuth: false }, TypeError, '"clientAuth" is false, expected true'],
  [{ ...tls, identity: "names" }, TypeError, '"identity" is "names", expected "name" or a function'],
];

Deno.test("startPeerService() refuses what is no TLS", async () => {
  const call = (options: unknown) => startPeerService({ tls: options as TlsOptions });
  await assertRefuses({ call, rejects: true, action: 'Cannot start: "tls"', option: "cert", refused: REFUSED });
  for (const tls of [null, false, 0, ""] as unknown[] as TlsOptions[]) {
    const says = `Cannot start: "tls" is ${JSON.stringify(tls)}, expected an object`;
    await assertRejects(() => startPeerService({ tls }), TypeError, says);
  }
});

Deno.test("updateTls() refuses what is no TLS, and the node goes on as it was", async () => {
  const undefinedOnes = { clientAuth: undefined, identity: undefined, misspelt: undefined };
  const options = { name: "a", tls: { ...tls, ...undefinedOnes } } as PeerServiceOptions;
  await using node = await startPeerService(options);
  const before = node.stats().trust;
  const call = (options: unknown) => node.updateTls(options as TlsOptions);
  const action = "Cannot update the certificates";
  await assertRefuses({ call, rejects: true, action, option: "cert", refused: REFUSED });
  assertEquals(node.stats().trust, before);
  await node.updateTls({ ...tls, clientAuth: true, identity: () => true });
});
