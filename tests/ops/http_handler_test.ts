// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { httpHandler, type HttpHandlerOptions } from "../../ops/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { entryOf, takeOf } from "../values.ts";

/** Serves a node over HTTP, and speaks to it as bytes: `fetch` would not send what an intruder sends. */
async function serving(
  options: HttpHandlerOptions,
  body: (send: (text: string) => Promise<string>, node: PeerServiceManager) => Promise<void>,
): Promise<void> {
  await using node = await startPeerService({ name: "a", preset: "local" });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, httpHandler(node, options));
  const send = async (text: string) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const writing = connection.write(new TextEncoder().encode(text)).catch(() => {});
    let answer = "";
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(65_536);
    try {
      for (let read = await connection.read(chunk); read !== null; read = await connection.read(chunk)) {
        answer += decoder.decode(chunk.subarray(0, read), { stream: true });
      }
    } catch {
      // A server that hangs up while more is sent has answered all it will.
    }
    await writing;
    return answer;
  };
  await body(send, node);
}

const get = (path: string, host = "127.0.0.1", headers = "") =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`;
const post = (path: string, headers = "") =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n${headers}\r\n`;
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

Deno.test("a name that leads here by DNS rebinding reads nothing", async () => {
  await serving({ hosts: ["cluster.example"] }, async (send) => {
    for (
      const host of [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:80",
        "0x7f.1",
        "",
      ]
    ) {
      for (const path of ["/members", "/events", "/ready", "/", "/nothing"]) {
        const answer = await send(get(path, host));
        assert([400, 421].includes(statusOf(answer)), `"${host}" ${path}: ${answer}`);
        assertFalse(answer.includes('"a"'));
      }
    }
    for (
      const host of [
        "127.0.0.1",
        "127.0.0.1:8080",
        "localhost",
        "LOCALHOST:9",
        "localhost.",
        "[::1]:80",
        "10.1.2.3",
        "Cluster.example:443",
      ]
    ) {
      assertEquals(statusOf(await send(get("/alive", host))), 200, host);
    }
    const absolute = await send(
      "GET http://evil.example/members HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    );
    assert([400, 421].includes(statusOf(absolute)), absolute);
  });
});

Deno.test("a page from elsewhere changes nothing, whatever it can have a browser send", async () => {
  await serving({ token: "s3cret" }, async (send, node) => {
    const simple = "Origin: https://evil.example\r\nContent-Type: text/plain\r\n";
    assertEquals(statusOf(await send(post("/drain", simple))), 403);
    assertEquals(statusOf(await send(post("/drain", "Sec-Fetch-Site: cross-site\r\n"))), 403);
    assertEquals(statusOf(await send(post("/drain", `${simple}Authorization: Bearer s3cret\r\n`))), 403);
    assertEquals(statusOf(await send(post("/drain", "Origin: null\r\nAuthorization: Bearer s3cret\r\n"))), 403);
    const preflight = await send(
      "OPTIONS /drain HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nOrigin: https://evil.example\r\n" +
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n",
    );
    assertEquals(statusOf(preflight), 405);
    const read = await send(get("/members", "127.0.0.1", "Origin: https://evil.example\r\n"));
    for (const answer of [preflight, read]) assertFalse(/access-control/i.test(answer), answer);
    assertStringIncludes(read, "cross-origin-resource-policy: same-origin");
    assert(node.member("a") && !node.attributes().has("draining"));
  });
});

Deno.test("without the right token nothing is changed; with it, the node drains", async () => {
  await serving({ token: "s3cret" }, async (send, node) => {
    for (
      const credentials of [
        "",
        "Bearer",
        "Bearer s3cre",
        "Bearer s3crett",
        "Bearer s3cret s3cret",
        "Basic s3cret",
        "s3cret",
        "Bearer ",
        "Bearer undefined",
      ]
    ) {
      const answer = await send(post("/drain", credentials === "" ? "" : `Authorization: ${credentials}\r\n`));
      assertEquals(statusOf(answer), 401, credentials);
      assertStringIncludes(answer.toLowerCase(), "www-authenticate: bearer");
    }
    assertEquals(statusOf(await send(post("/drain?token=s3cret"))), 401);
    assertEquals(statusOf(await send(get("/drain", "127.0.0.1", "Authorization: Bearer s3cret\r\n"))), 405);
    assertFalse(node.attributes().has("draining"));
    assertEquals(statusOf(await send(post("/drain", "Authorization: Bearer s3cret\r\n"))), 202);
    await node.drain();
    assertEquals(statusOf(await send(get("/alive"))), 503);
  });
  await serving({}, async (send, node) => {
    for (const credentials of ["", "Authorization: Bearer \r\n", "Authorization: Bearer undefined\r\n"]) {
      assertEquals(statusOf(await send(post("/drain", credentials))), 403);
    }
    assertFalse(node.attributes().has("draining"));
  });
});

Deno.test("paths are taken as they are spelled, and nothing else is served", async () => {
  await serving({}, async (send) => {
    for (
      const path of [
        "/nothing",
        "/members/",
        "//members",
        "/MEMBERS",
        "/%6dembers",
        "/members;a",
        "/alive%2f..%2fmembers",
        "/__proto__",
        "/constructor",
        "/.git/config",
        "/..%2f..%2fetc/passwd",
        "*",
      ]
    ) {
      const answer = await send(get(path));
      assert([400, 404].includes(statusOf(answer)), `${path}: ${answer}`);
      if (statusOf(answer) === 404) assertStringIncludes(answer, "application/json");
    }
    assertEquals(statusOf(await send(get("/members?verbose=1"))), 200);
    const long = await send(get(`/${"a".repeat(60_000)}`));
    assert([404, 414, 431].includes(statusOf(long)) && long.length < 2_000, `${long.length}`);
  });
});

Deno.test("huge headers are refused, and the server goes on", async () => {
  await serving({ token: "s3cret" }, async (send) => {
    for (
      const header of [
        `X: ${"a".repeat(2_000_000)}\r\n`,
        "X: a\r\n".repeat(20_000),
        `Authorization: Bearer ${"a".repeat(100_000)}\r\n`,
      ]
    ) {
      const status = statusOf(await send(post("/drain", header)));
      assert([0, 400, 401, 431].includes(status), `${status}`);
    }
    assert([0, 400, 421, 431].includes(statusOf(await send(get("/alive", "a".repeat(300_000))))));
    assertEquals(statusOf(await send(get("/alive"))), 200);
  });
});

Deno.test("a wrong method is told which ones there are, and HEAD has no body", async () => {
  await serving({}, async (send) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "constructor"]) {
      const answer = await send(get("/members").replace("GET", method));
      assertEquals(statusOf(answer), 405, answer);
      assertStringIncludes(answer.toLowerCase(), "allow: get, head");
    }
    const [head, body] = takeOf((await send(get("/events").replace("GET", "HEAD"))).split("\r\n\r\n"), 2);
    assertEquals([statusOf(head), body], [200, ""]);
  });
});

scenario("/members tells of each member what this node knows", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { metadata: { zone: "eu-1" } });
  b.setAttribute("load", new Uint8Array([1, 255]));
  await world.until("a knows", () => a.attribute("b", "load") !== undefined);
  const response = await httpHandler(a)(new Request("http://localhost/members"));
  const [own, other] = await response.json();
  assertEquals([own.name, own.self, own.status], ["a", true, "up"]);
  assertEquals([other.name, other.self, other.status, other.reason], ["b", false, "up", "it is connected"]);
  assertEquals(other.attributes.load, "01ff");
  assertEquals(other.spec.metadata, { zone: "eu-1" });
  assertEquals(other.addresses, b.spec.addresses);
});

scenario("the page can be left out", async (world) => {
  const a = await world.start("a");
  for (const path of ["/", "/page"]) {
    const response = await httpHandler(a)(new Request(`http://localhost${path}`));
    assertEquals(response.status, 200);
    assertStringIncludes(entryOf(response.headers, "content-security-policy"), "frame-ancestors 'none'");
    assertStringIncludes(await response.text(), "<!doctype html>");
    const without = await httpHandler(a, { page: false })(new Request(`http://localhost${path}`));
    assertEquals(without.status, 404);
    await without.body?.cancel();
  }
});

Deno.test("httpHandler() takes a node of any contract", async () => {
  await using node = await startPeerService<{ adder(message: { x: number }): number }>({ name: "a" });
  assertEquals((await httpHandler(node)(new Request("http://localhost/alive"))).status, 200);
});

scenario("httpHandler() refuses options that would protect nothing", async (world) => {
  const a = await world.start("a");
  assertThrows(() => httpHandler(a, { token: "" }), TypeError, "token");
  assertThrows(() => httpHandler(a, { hosts: ["https://cluster.example/"] }), TypeError, "hosts");
  assertThrows(() => httpHandler({} as PeerServiceManager), TypeError, "PeerService");
});
