// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertArrayIncludes, assertEquals } from "@std/assert";

const GLOSSARY = await Deno.readTextFile(new URL("../../docs/glossary.md", import.meta.url));

/** Each entry: its term, and what the page says of it. */
const ENTRIES = Array.from(
  GLOSSARY.matchAll(/^- \*\*(.+?)\*\*: ((?:.|\n {2})+)/gm),
  ([, term = "", text = ""]) => ({ term: term.toLowerCase(), text: text.replaceAll(/\s+/g, " ") }),
);

/** The terms that the code uses for its own parts. */
const TERMS = [
  ...["incarnation", "suspicion", "indirect probe", "dead message", "refutation", "heartbeat", "watcher", "slot"],
  ...["interest", "idle grace", "reliable sender", "reliable receiver", "acknowledgement", "tombstone", "dialer"],
  ...["acceptor", "idempotency key", "conflating queue", "dot", "causal context", "delta", "digest", "anti-entropy"],
  ...["overlay", "active view", "passive view", "eager push", "lazy push", "graft", "prune", "channel", "parallelism"],
  ...["partition key", "transitive", "out-links", "interposition", "monotonic", "drain", "evict", "lease"],
  ...["fencing token", "rendezvous hashing", "hybrid logical clock", "credit", "admission", "posture"],
];

Deno.test("the glossary has every term that the code uses for its own parts, and each term once", () => {
  const terms = ENTRIES.map(({ term }) => term);
  assertArrayIncludes(terms, TERMS);
  assertEquals(terms.length, new Set(terms).size);
  assertEquals(terms.length, GLOSSARY.match(/^- /gm)?.length);
});

Deno.test("each entry of the glossary says what its term means, and where the term is from", () => {
  for (const { term, text } of ENTRIES) {
    assert(/^\S.+\. Source: \S.+\.$/.test(text), `The entry "${term}" lacks its meaning or its source`);
  }
});

Deno.test("README.md and ARCHITECTURE.md link to the glossary", async () => {
  for (const page of ["README.md", "ARCHITECTURE.md"]) {
    const text = await Deno.readTextFile(new URL(`../../${page}`, import.meta.url));
    assert(text.includes("(docs/glossary.md)"), `${page} does not link to docs/glossary.md`);
  }
});
