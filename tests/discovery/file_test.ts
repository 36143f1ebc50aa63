// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parse } from "../../discovery/file.ts";
import { file } from "../../discovery/mod.ts";

const never = new AbortController().signal;

Deno.test("parse() reads lines with comments, and JSON arrays of strings and objects", () => {
  const expected = [{ hostname: "10.0.0.7", port: 9_090 }, { hostname: "::1", port: 1 }];
  assertEquals(parse("# nodes\n\n10.0.0.7:9090 # the first\r\n  [::1]:1\n"), expected);
  assertEquals(parse('["10.0.0.7:9090", {"hostname": "::1", "port": 1}]'), expected);
  assertEquals(parse(""), []);
  assertThrows(() => parse("10.0.0.7:9090\nnonsense"), SyntaxError, "nonsense");
  assertThrows(() => parse("[1"), SyntaxError);
});

Deno.test("file() that is not there fails: that is not the same as an empty one", async () => {
  const folder = await Deno.makeTempDir();
  await assertRejects(() => file(`${folder}/nodes`).lookup(never), Deno.errors.NotFound);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("file() by a URL is watched in a folder whose name has a blank", async () => {
  const folder = await Deno.makeTempDir({ prefix: "a b " });
  const end = new AbortController();
  const heard = Promise.withResolvers<void>();
  const source = file(new URL("nodes", `file://${folder}/`));
  assertEquals(source.name, `file ${folder}/nodes`);
  source.watch?.(heard.resolve, end.signal);
  await Deno.writeTextFile(`${folder}/nodes`, "a:1");
  await heard.promise;
  assertEquals(await source.lookup(never), [{ hostname: "a", port: 1 }]);
  end.abort();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("file() tells that it was written, replaced by renaming, and made", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/nodes`;
  const end = new AbortController();
  const source = file(path);
  let heard = Promise.withResolvers<void>();
  source.watch?.(() => heard.resolve(), end.signal);
  const changes = [
    () => Deno.writeTextFile(path, "a:1"),
    () => Deno.writeTextFile(path, "b:2"),
    async () => {
      await Deno.writeTextFile(`${path}.new`, "c:3");
      await Deno.rename(`${path}.new`, path);
    },
  ];
  for (const change of changes) {
    heard = Promise.withResolvers();
    await change();
    await heard.promise;
  }
  assertEquals(await source.lookup(never), [{ hostname: "c", port: 3 }]);
  end.abort();
  await Deno.remove(folder, { recursive: true });
});
