// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- How many sockets there were is worth a line.

import { assert, assertEquals } from "@std/assert";
import { startPeerService } from "../../mod.ts";
import { firstOf } from "../values.ts";

/** Silent connections, where the system allows as many: each needs a file descriptor at both ends. */
const CROWD = 2_000;
/** File descriptors that are left to everything else. */
const SPARE_FILES = 512;

/** Number of silent connections that this process can hold. */
async function crowdSize(): Promise<number> {
  if (Deno.build.os === "windows") return CROWD;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -n"], stdin: "null" }).output();
  const limit = Number(new TextDecoder().decode(stdout));
  return Number.isNaN(limit) ? CROWD : Math.min(CROWD, Math.floor((limit - SPARE_FILES) / 2));
}

/** Connections that say nothing, and keep count of those that the other end has closed. */
class SilentCrowd implements AsyncDisposable {
  readonly #connections: Deno.TcpConn[] = [];
  readonly #reads: Promise<void>[] = [];
  #closed = 0;

  /** Those that are still open at this end. */
  get open(): number {
    return this.#connections.length - this.#closed;
  }

  /** Number of connections. */
  get size(): number {
    return this.#connections.length;
  }

  async gather(address: Deno.ConnectOptions, size: number): Promise<void> {
    while (this.size < size) {
      const wave = Array.from({ length: Math.min(100, size - this.size) }, () => Deno.connect(address));
      for (const connection of await Promise.all(wave)) {
        this.#connections.push(connection);
        this.#reads.push(this.#listen(connection));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#reads);
  }

  /** Hears what there is to hear; keeps the socket all the same, as an attacker would. */
  async #listen(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(512);
    try {
      while (await connection.read(buffer) !== null);
    } catch {
      // It was reset, or closed here.
    }
    this.#closed++;
  }
}

for (const secret of [undefined, "a secret that is long enough"]) {
  const kind = secret === undefined ? "an open cluster" : "one with a secret";
  Deno.test(`2,000 silent connections over TCP keep no newcomer from joining ${kind}, and its members do not notice`, async () => {
    // The longest deadline for handshakes: none of the silent ones gives its place back meanwhile because its time is up.
    const options = { preset: "wan", log: false, ...secret === undefined ? {} : { secret } } as const;
    await using a = await startPeerService({ name: "a", ...options });
    await using b = await startPeerService({ name: "b", ...options });
    await b.syncJoin(a.spec);
    const disturbed: string[] = [];
    for (const node of [a, b]) {
      for (const type of ["down", "suspect", "leave", "error"] as const) {
        node.addEventListener(type, () => disturbed.push(`${node.name}: ${type}`));
      }
    }
    const { hostname, port } = firstOf(a.spec.addresses);
    const size = await crowdSize();
    await using crowd = new SilentCrowd();
    await crowd.gather({ hostname, port }, size);
    const { accepted, handshakeTimeouts } = a.stats().connections;
    await using c = await startPeerService({ name: "c", ...options });
    await c.syncJoin(`${hostname}:${port}`);
    const now = a.stats().connections;
    b.register("echo", (message) => message);
    assertEquals(await c.call("b", "echo", "undisturbed"), "undisturbed");
    assertEquals([a.members(), b.members()], [["a", "b", "c"], ["a", "b", "c"]]);
    assertEquals(disturbed, []);
    assert(now.overloaded > 0 || size < CROWD, "there was room for all of them");
    // It was not the passing of time that made room.
    assertEquals([now.handshakeTimeouts, handshakeTimeouts], [0, 0]);
    console.log(
      `  ${size} silent connections (${accepted} accepted), ${crowd.open} open at the end, ${now.overloaded} told to go away`,
    );
  });
}
