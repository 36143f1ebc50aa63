// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { startPeerService } from "../../mod.ts";
import { type AdminServer, serveAdmin } from "../../ops/admin.ts";
import { nthOf, present } from "../values.ts";

const TOKEN = "a-token-of-some-length";
const isUnix = Deno.build.os !== "windows";

/** Asks the endpoint on a Unix socket. */
async function ask(admin: AdminServer, operation: string, body: unknown = {}): Promise<[number, unknown]> {
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path: admin.address } });
  const url = `http://localhost/v1/${operation}`;
  const response = await fetch(url, { client, method: "POST", body: JSON.stringify(body) });
  return [response.status, await response.json()];
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "serveAdmin() answers on a Unix socket that is for its owner alone, and removes it with the node",
  ignore: !isUnix,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/a.sock`;
      {
        await using node = await startPeerService({ name: "a" });
        node.register("echo", (message) => ({ message }));
        const admin = await serveAdmin(node, { path });
        assertEquals(present((await Deno.stat(path)).mode) & 0o777, 0o600);
        const [status, reply] = await ask(admin, "call", { node: "a", name: "echo", message: [1, "x"] });
        assertEquals([status, reply], [200, { reply: { message: [1, "x"] } }]);
        const [missing, error] = await ask(admin, "info", { node: "z" });
        assertEquals([missing, (error as { error: { name: string } }).error.name], [409, "NoSuchNodeError"]);
        assertEquals((await ask(admin, "call", { node: "a" }))[0], 400);
        assertEquals((await ask(admin, "nothing"))[0], 404);
        await admin.close();
      }
      assertEquals([...Deno.readDirSync(folder)], []);
    }),
});

Deno.test({
  name: "serveAdmin() replaces a socket on which no process listens, and never anything else",
  ignore: !isUnix,
  fn: () =>
    withFolder(async (folder) => {
      await using node = await startPeerService({ name: "a" });
      const path = `${folder}/a.sock`;
      await using _first = await serveAdmin(node, { path });
      await assertRejects(() => serveAdmin(node, { path }), Deno.errors.AddrInUse, "another process listens there");

      const stale = `${folder}/stale.sock`;
      // Closing the listener of a renamed socket leaves the file behind, as a crash does.
      using dead = Deno.listen({ transport: "unix", path: `${folder}/dead` });
      await Deno.rename(`${folder}/dead`, stale);
      dead.close();
      await using second = await serveAdmin(node, { path: stale });
      assertEquals((await ask(second, "members"))[0], 200);

      await Deno.writeTextFile(`${folder}/file`, "precious");
      await assertRejects(() => serveAdmin(node, { path: `${folder}/file` }), Error, "it is no socket");
      assertEquals(await Deno.readTextFile(`${folder}/file`), "precious");
      await Deno.mkdir(`${folder}/open`);
      await Deno.chmod(`${folder}/open`, 0o777);
      await assertRejects(() => serveAdmin(node, { path: `${folder}/open/a` }), Error, "others may write to it");
    }),
});

Deno.test("serveAdmin() on TCP needs a token, and answers no node without it, nor under a foreign name", async () => {
  await using node = await startPeerService({ name: "a" });
  await assertRejects(() => serveAdmin(node, { port: 0 }), TypeError, "without a token");
  await assertRejects(() => serveAdmin(node, { port: 0, token: "short" }), TypeError, "at least 16");
  await using admin = await serveAdmin(node, { port: 0, token: TOKEN });
  const get = async (headers: Record<string, string>, operation = "members") => {
    const response = await fetch(`http://${admin.address}/v1/${operation}`, { headers });
    const text = await response.text();
    return [response.status, text] as const;
  };
  assertEquals((await get({}))[0], 401);
  assertEquals((await get({ authorization: "Bearer a-token-of-some-lengtx" }))[0], 401);
  const authorization = `Bearer ${TOKEN}`;
  assertEquals((await get({ authorization }))[0], 200);
  assertEquals((await get({ authorization, origin: "http://evil.example" }))[0], 421);

  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(admin.address.split(":")[1]) });
  await connection.write(
    new TextEncoder().encode("GET /v1/members HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
  );
  const buffer = new Uint8Array(4_096);
  const length = await connection.read(buffer);
  assertStringIncludes(new TextDecoder().decode(buffer.subarray(0, present(length))), "421");
});

Deno.test("watch tells events a line each, and ends with the node", async () => {
  const token = crypto.randomUUID();
  await using a = await startPeerService({ name: "a" });
  await using b = await startPeerService({ name: "b" });
  await using admin = await serveAdmin(a, { port: 0, token });
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${admin.address}/v1/watch`, { headers });
  const lines: string[] = [];
  const reading = (async () => {
    for await (const text of present(response.body).pipeThrough(new TextDecoderStream())) {
      lines.push(...text.split("\n"));
    }
  })();
  await a.syncJoin(b.spec);
  await a.stop();
  await reading;
  const events = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  assert(events.some(({ event, detail }) => event === "up" && detail.node === "b"), lines.join("\n"));
});

Deno.test("top sends a snapshot for as long as a node reads", async () => {
  const token = crypto.randomUUID();
  await using a = await startPeerService({ name: "a" });
  await using admin = await serveAdmin(a, { port: 0, token });
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${admin.address}/v1/top?interval=100`, { headers });
  let text = "";
  for await (const part of present(response.body).pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.split("\n").length > 2) break;
  }
  assertEquals(JSON.parse(nthOf(text.split("\n"), 1)).members[0].name, "a");
});
