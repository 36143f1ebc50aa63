// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { parseArguments } from "../../cli/arguments.ts";
import { runTls, type TlsInvocation, tlsInvocation } from "../../cli/tls_command.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { startPeerService } from "../../manager/start_peer_service.ts";
import { present } from "../values.ts";

function parseTls(args: string[]): TlsInvocation {
  const { command, options } = parseArguments(["tls", ...args]);
  return tlsInvocation(present(command).name, present(options));
}

/** Whether openssl is installed here. */
const HAS_OPENSSL = await openssl("version").then(() => true, () => false);

async function openssl(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** A folder with an authority and certificates of two nodes. */
async function withFiles(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await runTls(parseTls(["ca", "--out", `${folder}/ca`]));
    for (const name of ["a@127.0.0.1", "b"]) {
      await runTls(
        parseTls(["cert", "--name", name, "--name=spiffe://here/x", "--ca", `${folder}/ca`, `--out=${folder}/nodes`]),
      );
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tlsInvocation() says what is missing, unknown or out of range", () => {
  const wrong: [string, string][] = [
    ["x", 'Unknown command "tls x"'],
    ["ca", 'Option "--out" is missing'],
    ["ca --out", 'Option "--out" needs a value'],
    ["ca --out d --name a", 'Unknown option "--name"'],
    ["cert --ca d --out d", 'Option "--name" is missing'],
    ["cert --name a --out d", 'Option "--ca" is missing'],
    ["ca --out d --days 0", 'Option "--days" is "0"'],
  ];
  for (const [line, message] of wrong) assertThrows(() => parseTls(line.split(" ")), UsageError, message);
});

Deno.test("two nodes connect with the files that tls ca and tls cert have written", async () => {
  await withFiles(async (folder) => {
    const read = (file: string) => Deno.readTextFile(`${folder}/nodes/${file}`);
    const start = async (name: string) =>
      startPeerService({
        name,
        tls: { cert: await read(`${name}.crt`), key: await read(`${name}.key`), ca: await read("ca.crt") },
      });
    await using a = await start("a@127.0.0.1");
    await using b = await start("b");
    await b.syncJoin(a.spec);
    assertEquals(a.members(), ["a@127.0.0.1", "b"]);
  });
});

Deno.test({
  name: "private keys are for their owner alone, and nothing is overwritten",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFiles(async (folder) => {
      for (const file of ["ca/ca.key", "nodes/b.key"]) {
        assertEquals(present((await Deno.stat(`${folder}/${file}`)).mode) & 0o777, 0o600, file);
      }
      const again = parseTls(["cert", "--name", "b", "--ca", `${folder}/ca`, "--out", `${folder}/nodes`]);
      await assertRejects(() => runTls(again), Error, "it is there already");
    }),
});

Deno.test({
  name: "openssl verifies the certificates, strictly",
  ignore: !HAS_OPENSSL,
  fn: () =>
    withFiles(async (folder) => {
      const ca = `${folder}/ca/ca.crt`;
      for (const file of [ca, `${folder}/nodes/b.crt`]) {
        assertStringIncludes(await openssl("verify", "-x509_strict", "-CAfile", ca, file), "OK");
      }
      const text = await openssl("x509", "-in", `${folder}/nodes/b.crt`, "-noout", "-text");
      assertStringIncludes(text, "DNS:b, URI:spiffe://here/x");
    }),
});
