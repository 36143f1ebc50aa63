// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import * as api from "../../mod.ts";
import { codeSpans, linkTargets, parityRows, tableBelow } from "./partisan_table.ts";

const TABLE = new URL("../../docs/partisan.md", import.meta.url);
const markdown = await Deno.readTextFile(TABLE);

const MANAGER = parityRows("The manager", markdown);
const AROUND = parityRows("Around the manager", markdown);
const WITHOUT = tableBelow("Without a counterpart", markdown);
const ONLY_HERE = tableBelow("Only here", markdown);

/** Exports of `partisan_pluggable_peer_service_manager`, its behaviour's callbacks included. */
const EXPORTS = [
  ...["add_interposition_fun/2", "add_post_interposition_fun/2", "add_pre_interposition_fun/2", "cast_message/2"],
  ...["cast_message/3", "cast_message/4", "code_change/3", "decode/1", "forward_message/2", "forward_message/3"],
  ...["forward_message/4", "get_interposition_funs/0", "get_local_state/0", "get_pre_interposition_funs/0"],
  ...["handle_call/3", "handle_cast/2", "handle_info/2", "init/1", "inject_partition/2", "join/1", "leave/0"],
  ...["leave/1", "member/1", "members/0", "members_for_orchestration/0", "on_down/2", "on_down/3", "on_up/2"],
  ...["on_up/3", "partitions/0", "receive_message/3", "remove_interposition_fun/1", "remove_post_interposition_fun/1"],
  ...["remove_pre_interposition_fun/1", "reserve/1", "resolve_partition/1", "send_message/2", "start_link/0"],
  ...["supports_capability/1", "sync_join/1", "terminate/2", "update_members/1"],
];

/** Names of the methods and accessors of the manager: its one class has those of its interface, and no others. */
function surface(): string[] {
  const own = Reflect.ownKeys(PeerService.prototype).filter((name) => name !== "constructor");
  return own.map((name) => typeof name === "string" ? name : `[${name.description}]`).sort();
}

Deno.test("the parity table has each function of the original once", () => {
  const originals = [
    ...MANAGER.flatMap(({ originals }) => originals),
    ...WITHOUT.flatMap(([cell = ""]) => codeSpans(cell)),
  ];
  assertEquals(originals.filter((name) => !name.includes(":")).sort(), EXPORTS);
});

Deno.test("every method that the parity table names exists, and every method is named", () => {
  const ours = [...MANAGER, ...AROUND].flatMap(({ ours }) => ours);
  const further = ONLY_HERE.flatMap(([cell = ""]) => codeSpans(cell)).map((span) => span.replace(/\(.*$/, ""));
  const methods = new Set([...ours, ...further]);
  assert(methods.delete("startPeerService") && "startPeerService" in api);
  assertEquals([...methods].sort(), surface());
});

Deno.test("every test that the parity table names exists, and every row has one", async () => {
  const files = linkTargets(markdown);
  for (const { originals, ours, proofs, difference } of [...MANAGER, ...AROUND]) {
    assert(ours.length > 0 && proofs.length > 0 && difference !== "", `${originals}: the row is not complete`);
    for (const { test, label } of proofs) {
      const file = files.get(label);
      assert(file !== undefined, `${originals}: there is no link "${label}"`);
      const text = await Deno.readTextFile(new URL(file, TABLE));
      assert(text.includes(`"${test}",`), `${file} has no test "${test}"`);
    }
  }
});

Deno.test("every row of the parity table says which Partisan is meant, and how that is known", () => {
  for (const { originals, difference } of [...MANAGER, ...AROUND]) {
    const marks = difference.match(/\*\*(5\.0\.3 measured|6\.2 read)\*\*/g) ?? [];
    assertEquals(marks.length, 1, `${originals}`);
  }
});
