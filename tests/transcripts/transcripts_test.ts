// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Transcripts of what nodes say to each other, told in words: each `*.txt` here has commands, a line of dashes after each, and what was
 * said meanwhile. `deno task test tests/transcripts -- --update` writes anew what stands behind the dashes; then read
 * the difference.
 *
 * A command is one of:
 *
 * - `start NAME`, `start NAME,CLUSTER`, `start NAME,,HOST`: several may be started at once.
 * - `join A B`, `cross A B` (both join each other at once), `leave A`, `crash A`, `pause A`, `resume A`.
 * - `cut A B`, `heal A B`: between two hosts, both ways.
 * - `broadcast A TEXT`: to the handler `news`, which all nodes have.
 * - `pass MS`: lets time pass. `members`: tells what each node believes.
 * - `hide KIND…`, `show KIND…`: which frames are told, by the names in `wire/frame_kind.ts`, and `dial`, `close`, `event`.
 *   `KIND/WORD` means those of a kind that begin with a word: `strategy/digest`, `heartbeat/counter`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Stage } from "./stage.ts";

const FOLDER = new URL("./", import.meta.url);
const UPDATE = Deno.args.includes("--update");
const DASHES = "----";

/** The text with what the nodes say now behind each line of dashes. Lines that begin with `#` are for readers. */
async function retold(text: string, seed: string): Promise<string> {
  const stage = new Stage(seed);
  const told: string[] = [];
  let isSaid = false;
  let command: string | undefined;
  try {
    for (const line of text.trimEnd().split("\n")) {
      if (line === "") isSaid = false;
      if (isSaid) continue;
      told.push(line);
      if (line === DASHES && command !== undefined) {
        told.push(...await stage.run(command));
        isSaid = true;
      } else if (line !== "" && !line.startsWith("#")) command = line;
    }
  } finally {
    await stage.end();
  }
  return `${told.join("\n")}\n`;
}

for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".txt")) continue;
  Deno.test(`Nodes say what ${name} tells`, async () => {
    const file = new URL(name, FOLDER);
    const text = await Deno.readTextFile(file);
    const now = await retold(text, name);
    if (UPDATE) await Deno.writeTextFile(file, now);
    else assertEquals(now, text, "if this is meant: deno task test tests/transcripts -- --update");
  });
}
