// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { MemberList } from "../../manager/member_list.ts";
import { nodeSpec } from "../node_spec.ts";

Deno.test("MemberList tells who joined, who is another incarnation, and who is lost", () => {
  const list = new MemberList();
  const [a, b, c] = [nodeSpec("a"), nodeSpec("b"), nodeSpec("c")];
  assertEquals(list.replace([a, b]), { joined: [a, b], renewed: [], lost: [] });
  const [renewed, same] = [nodeSpec("b", 2), { ...a }];
  assertEquals(list.replace([same, renewed, c]), { joined: [c], renewed: [renewed], lost: [] });
  assertEquals(list.get("a"), same);
  assertEquals(list.replace([renewed]), { joined: [], renewed: [], lost: [same, c] });
  assertEquals([list.size, list.has("a"), list.get("b")], [1, false, renewed]);
});

Deno.test("MemberList is in the order of names, whatever order its members come in", () => {
  const list = new MemberList();
  const [a, b, c] = [nodeSpec("a"), nodeSpec("b"), nodeSpec("c")];
  list.replace([c, a]);
  list.replace([c, b, a]);
  assertEquals([...list.keys()], ["a", "b", "c"]);
  assertEquals([...list], [["a", a], ["b", b], ["c", c]]);
  const before = list.values();
  list.replace([b]);
  assertEquals([[...before], [...list.values()]], [[a, b, c], [b]]);
});
