// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { TcpListener } from "../../../transport/tcp/tcp_listener.ts";
import type { TcpStreamContext } from "../../../transport/tcp/tcp_stream.ts";

/** A listener of which each `accept` waits for the test to say how it ends. */
class FakeListener {
  readonly addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  attempts = 0;
  tuned: string[] = [];
  #waiting = Promise.withResolvers<Deno.TcpConn>();

  accept(): Promise<Deno.TcpConn> {
    this.attempts++;
    return this.#waiting.promise;
  }

  close(): void {
    this.fail("Listener has been closed");
  }

  fail(message: string): void {
    this.#next().reject(new Error(message));
  }

  succeed(): void {
    const conn = {
      remoteAddr: this.addr,
      setNoDelay: (on: boolean) => this.tuned.push(`noDelay ${on}`),
      setKeepAlive: (on: boolean) => this.tuned.push(`keepAlive ${on}`),
      close() {},
    };
    this.#next().resolve(conn as unknown as Deno.TcpConn);
  }

  #next(): PromiseWithResolvers<Deno.TcpConn> {
    const waiting = this.#waiting;
    waiting.promise.catch(() => {});
    this.#waiting = Promise.withResolvers();
    return waiting;
  }
}

function listenOn(fake: FakeListener) {
  const clock = new VirtualClock();
  const context: TcpStreamContext = {
    clock,
    closeTimeout: 1000,
    sink: new Uint8Array(1),
    closing: new Set(),
    unbinding: new Set(),
    shortReads: 0,
  };
  const stats = { accepted: 0, acceptErrors: 0 };
  const failures: unknown[] = [];
  const failed = (error: unknown) => failures.push((error as Error).message);
  const listener = new TcpListener(fake as unknown as Deno.TcpListener, context, stats, () => {}, failed);
  return { clock, context, stats, listener, failures };
}

/** Resolves when all microtasks are done. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("TcpListener waits longer after each failure to accept, one second at most, and begins anew after a success", async () => {
  const fake = new FakeListener();
  const { clock, listener, stats } = listenOn(fake);
  const waits: number[] = [];
  const failOnce = async () => {
    fake.fail("Too many open files");
    await microtasks();
    const before = clock.now();
    clock.runNext();
    waits.push(clock.now() - before);
    await microtasks();
  };
  for (let failure = 0; failure < 10; failure++) await failOnce();
  fake.succeed();
  await microtasks();
  await failOnce();
  assertEquals(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 5]);
  assertEquals(stats, { accepted: 1, acceptErrors: 11 });
  assertEquals(fake.attempts, 13);
  listener.close();
});

Deno.test("TcpListener tells of each failure to accept, but not of its end", async () => {
  const fake = new FakeListener();
  const { clock, context, failures, listener } = listenOn(fake);
  for (const reason of ["Too many open files", "Connection reset"]) {
    fake.fail(reason);
    await microtasks();
    clock.runNext();
    await microtasks();
  }
  listener.close();
  await Promise.all(context.unbinding);
  assertEquals(failures, ["Too many open files", "Connection reset"]);
});

Deno.test("TcpListener.close() ends a wait, and accepts no more", async () => {
  const fake = new FakeListener();
  const { clock, context, listener } = listenOn(fake);
  fake.fail("Too many open files");
  await microtasks();
  assertEquals(clock.pending, 1);
  listener.close();
  await Promise.all(context.unbinding);
  assertEquals(clock.pending, 0);
  assertEquals(fake.attempts, 1);
});

Deno.test("TcpListener sends small writes of accepted streams at once, and keeps them alive", async () => {
  const fake = new FakeListener();
  const { listener } = listenOn(fake);
  fake.succeed();
  await microtasks();
  assertEquals(fake.tuned, ["noDelay true", "keepAlive true"]);
  listener.close();
});
