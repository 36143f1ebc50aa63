// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { SealError } from "../../../connections/noise/cipher_state.ts";
import { DIAL_FAILURES, dialFailure } from "../../../connections/dialer/dial_failure.ts";
import { CertificateError } from "../../../transport/tls/certificate_error.ts";
import { ProtocolError } from "../../../wire/frame_reader.ts";

Deno.test("a failed dial is of one kind, by the error or by what the system said", () => {
  const system = (name: string) => new Error("in words", { cause: Object.assign(new Error("os error"), { name }) });
  const kinds: [error: unknown, kind: string][] = [
    [new DOMException("too late", "TimeoutError"), "timeout"],
    [system("TimedOut"), "timeout"],
    [new DOMException("given up", "AbortError"), "aborted"],
    [system("ConnectionRefused"), "unreachable"],
    [system("NotFound"), "unreachable"],
    [new CertificateError("expired", "it has expired"), "certificate"],
    [new ProtocolError("no frame"), "protocol"],
    [new SealError("forged"), "protocol"],
    [system("ConnectionReset"), "protocol"],
    [new Error("something"), "other"],
    [undefined, "other"],
  ];
  for (const [error, kind] of kinds) assertEquals(dialFailure(error), kind, `${error}`);
  assertEquals([...new Set(kinds.map(([, kind]) => kind))].sort(), [...DIAL_FAILURES].sort());
});
