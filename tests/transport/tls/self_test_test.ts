// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertRejects } from "@std/assert";
import { makeAuthority, makeCertificate } from "../../../cli/certificates.ts";
import { systemClock } from "../../../runtime/system.ts";
import { checkCredentials } from "../../../transport/tls/credentials.ts";
import { proveClientAuthentication } from "../../../transport/tls/self_test.ts";

const DAY_MS = 86_400_000;
const expired = { from: new Date(Date.now() - 2 * DAY_MS), to: new Date(Date.now() - DAY_MS) };
const authority = await makeAuthority("ours", expired);
const foreign = await makeAuthority("another authority", expired);
const credentials = checkCredentials({ ...await makeCertificate(foreign, ["a"], expired), ca: authority.cert });

Deno.test("this Deno asks clients for certificates, which is proven with any certificate, be it expired or foreign", async () => {
  await proveClientAuthentication(credentials, systemClock);
});

Deno.test("a Deno that lets every node in, or sees no certificates, is refused with the version that is needed", async () => {
  for (const isAccepted of [true, false]) {
    const ask = () => Promise.resolve({ isAccepted, fingerprint256: undefined });
    await assertRejects(() => proveClientAuthentication(credentials, systemClock, ask), Error, "Deno 2.7.14 or later");
  }
});
