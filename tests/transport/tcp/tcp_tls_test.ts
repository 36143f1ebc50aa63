// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { systemClock } from "../../../runtime/deno_runtime.ts";
import { TcpTransport } from "../../../transport/tcp/tcp_transport.ts";
import { tcpSubject } from "./tcp_subject.ts";
import { testTransport } from "../transport_suite.ts";

/** A throwaway certificate for 127.0.0.1 and its key, or `undefined` where there is no openssl. */
async function makeCertificate(): Promise<{ cert: string; key: string } | undefined> {
  const folder = await Deno.makeTempDir();
  const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  args.push("-subj", "/CN=Partisan test", "-addext", "subjectAltName=IP:127.0.0.1");
  args.push("-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert);
  try {
    const { success } = await new Deno.Command("openssl", { args, stderr: "null" }).output();
    return success ? { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) } : undefined;
  } catch {
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const certificate = await makeCertificate();

if (certificate === undefined) {
  Deno.test({ name: "TLS: needs openssl for a certificate", ignore: true, fn() {} });
} else {
  const { cert, key } = certificate;
  const trusting = () => new TcpTransport({ clock: systemClock, tls: { cert, key, caCerts: [cert] } });

  testTransport("TLS", () => {
    return tcpSubject(trusting());
  });

  Deno.test("TLS: connect() rejects when it does not trust the other end's certificate", async () => {
    const far = trusting();
    const near = new TcpTransport({ clock: systemClock, tls: { cert, key } });
    const listener = await far.listen({ hostname: "127.0.0.1", port: 0 }, (stream) => stream.close());
    const error = await assertRejects(() => near.connect(listener.address), Error);
    assertMatch(error.message, /^Cannot connect to "127\.0\.0\.1:\d+": .*certificate/i);
    listener.close();
    await far.drained();
  });

  Deno.test("TLS: connect() rejects with the signal's reason while the other end is silent", async () => {
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const controller = new AbortController();
    const connecting = trusting().connect(silent.addr as Deno.NetAddr, { signal: controller.signal });
    const conn = await silent.accept();
    await conn.read(new Uint8Array(1000));
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => connecting), reason);
    conn.close();
    silent.close();
  });
}
