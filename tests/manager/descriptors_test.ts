// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import type { Warning } from "../../mod.ts";
import type { ByteStream, Transport } from "../../transport/transport.ts";
import { firstOf } from "../values.ts";
import { scenario } from "./worlds.ts";

/** A transport of a process that may have so many streams open. */
function limited(transport: Transport, max: number): Transport {
  let open = 0;
  const counted = (stream: ByteStream): ByteStream => {
    const close = stream.close.bind(stream);
    let isOpen = true;
    stream.close = () => {
      if (isOpen) open--;
      isOpen = false;
      close();
    };
    return stream;
  };
  return {
    listen: (address, accept, failed) =>
      transport.listen(address, (stream) => {
        if (open < max) {
          open++;
          return accept(counted(stream));
        }
        stream.close();
        failed?.(new Error("Too many open files (os error 24)"));
      }),
    connect: async (address, options) => {
      if (open >= max) {
        const reason = "Too many open files (os error 24)";
        throw new Error(`Cannot connect to "${address.hostname}:${address.port}": ${reason}`);
      }
      // A system takes the descriptor before it is known whether the dial succeeds.
      open++;
      try {
        return counted(await transport.connect(address, options));
      } catch (error) {
        open--;
        throw error;
      }
    },
  };
}

for (const name of ["a", "z"]) {
  scenario(
    `With too few file descriptors a node completes what it can with some peers, and says once that they are too few: "${name}" among others from "n10" on`,
    async (world) => {
      const others = await world.cluster(Array.from({ length: 20 }, (_, index) => `n${index + 10}`));
      const runtime = world.runtime(name);
      const a = await world.start(name, { runtime: { ...runtime, transport: limited(runtime.transport, 12) } });
      const warned: Warning[] = [];
      a.addEventListener("warning", ({ detail }) => warned.push(detail));
      await a.join(firstOf(others).spec);
      await world.until("a has said so", () => warned.some(({ code }) => code === "too-few-descriptors"));
      const until = world.clock.now() + 5_000;
      await world.until("five seconds have passed", () => world.clock.now() >= until);
      assertGreaterOrEqual(a.connected().length, 8);
      for (const other of a.connected()) assert(a.isFullyConnected(other));
      // What has no socket of its own goes over the membership connection.
      const inboxes = others.filter((other) => a.isConnected(other.name)).map((other) => world.inbox(other, "log"));
      for (const other of a.connected()) {
        for (let n = 0; n < 100; n++) a.castMessage(other, "log", new Uint8Array(1_000));
      }
      await world.until("all have arrived", () => inboxes.every(({ messages }) => messages.length === 100));
      assertEquals(warned.filter(({ code }) => code === "too-few-descriptors").length, 1);
    },
    ["memory"],
  );
}
