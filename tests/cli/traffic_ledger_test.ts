// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { TrafficLedger, type TrafficMessage } from "../../cli/traffic_ledger.ts";

const body = new Uint8Array(3);

function message(from: number, to: number, sequence: number): TrafficMessage {
  return { from, to, sequence, body };
}

Deno.test("TrafficLedger.next() numbers the messages to each run of each receiver on its own", () => {
  const ledger = new TrafficLedger(4);
  const numbers = [["b", 1], ["b", 1], ["c", 1], ["b", 2], ["b", 2]] as const;
  assertEquals(numbers.map(([receiver, run]) => ledger.next(receiver, run, body)), [
    message(4, 1, 1),
    message(4, 1, 2),
    message(4, 1, 1),
    message(4, 2, 1),
    message(4, 2, 2),
  ]);
  assertEquals(ledger.outgoing(), {
    b: { run: 2, attempted: 2, accepted: 0 },
    c: { run: 1, attempted: 1, accepted: 0 },
  });
});

Deno.test("TrafficLedger.accepted() counts only what went to the receiver's present run", () => {
  const ledger = new TrafficLedger(1);
  const old = ledger.next("b", 1, body);
  ledger.accepted("b", ledger.next("b", 2, body));
  ledger.accepted("b", old);
  assertEquals(ledger.outgoing(), { b: { run: 2, attempted: 1, accepted: 1 } });
  assertEquals(ledger.sent, 2);
});

Deno.test("TrafficLedger.receive() allows gaps, and counts what came twice or late", () => {
  const ledger = new TrafficLedger(1);
  for (const sequence of [1, 2, 4, 3, 4, 5]) ledger.receive("a", message(1, 1, sequence));
  assertEquals(ledger.incoming(), { a: { run: 1, received: 4, disordered: 2 } });
});

Deno.test("TrafficLedger.receive() begins anew with the sender's next run, and ignores its former one", () => {
  const ledger = new TrafficLedger(1);
  for (const [run, sequence] of [[1, 7], [2, 1], [1, 8], [2, 2]] as const) {
    ledger.receive("a", message(run, 1, sequence));
  }
  assertEquals(ledger.incoming(), { a: { run: 2, received: 2, disordered: 0 } });
});

Deno.test("TrafficLedger.receive() ignores what was meant for this node's former run", () => {
  const ledger = new TrafficLedger(2);
  ledger.receive("a", message(1, 1, 100));
  ledger.receive("a", message(1, 2, 1));
  assertEquals(ledger.incoming(), { a: { run: 1, received: 1, disordered: 0 } });
});
