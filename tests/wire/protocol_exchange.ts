// Copyright 2026 the Partisan peer-service authors. MIT license.

import { writeMessage } from "../../messaging/message_frame.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import type { ByteStream, Transport } from "../../transport/transport.ts";
import { PoolWorld } from "../connections/pool_world.ts";
import { nthOf, present } from "../values.ts";

/** A frame on its way, header included, or a sealed record. */
interface Sent {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/**
 * Frames that two nodes really say to each other over the connection of the default channel, in a world whose chances are always the
 * same: the handshake, and a message that is cast to the handler "counter".
 *
 * @returns A hex dump of each frame, as `docs/protocol.md` shows it.
 */
export async function protocolExchange(secrets: readonly string[]): Promise<string[]> {
  const world = new PoolWorld({ seed: "docs/protocol.md" });
  const streams: Sent[][] = [];
  const a = await world.start("a", {
    incarnation: 1_767_225_600_000,
    secrets,
    wrap: (transport) => tapped(transport, streams),
  });
  const b = await world.start("b", { incarnation: 1_767_225_600_001, secrets });
  a.pool.want([b.spec]);
  await world.advance(1000);
  const connection = present(a.peer("b").at("default", 0));
  writeMessage(connection, new PayloadCodec(), "counter", true, undefined, { add: 1 });
  await world.advance(1000);
  // The connection of the membership channel comes first.
  return nthOf(streams, 1).map(dump);
}

/** Keeps what passes over each stream that is dialed, frame by frame. */
function tapped(transport: Transport, streams: Sent[][]): Transport {
  return {
    listen: (address, accept) => transport.listen(address, accept),
    connect: async (address, options) => {
      const frames: Sent[] = [];
      streams.push(frames);
      return tap(await transport.connect(address, options), frames);
    },
  };
}

function tap(stream: ByteStream, frames: Sent[]): ByteStream {
  const note = (from: string, to: string, bytes: Uint8Array) => {
    const isSealed = frames[0]?.bytes[13] === 1 && frames.some(({ bytes }) => bytes[4] === FrameKind.ready);
    for (const piece of isSealed ? [bytes] : split(bytes)) frames.push({ from, to, bytes: piece });
  };
  return {
    remoteAddress: stream.remoteAddress,
    close: () => stream.close(),
    read: async (buffer) => {
      const count = await stream.read(buffer);
      if (count !== null) note("b", "a", buffer.slice(0, count));
      return count;
    },
    write: (bytes) => {
      note("a", "b", bytes.slice());
      return stream.write(bytes);
    },
  };
}

/** Small frames arrive whole, as they were written. */
function split(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + view.getUint32(at);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

function dump({ from, to, bytes }: Sent): string {
  const isRecord = bytes[0] === 0 && bytes[1] === bytes.length - 2;
  const kind = isRecord
    ? "sealed record"
    : present(Object.entries(FrameKind).find(([, number]) => number === bytes[4]))[0];
  const lines = [`${from} -> ${to}  ${kind}, ${bytes.length} bytes`];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    const text = Array.from(
      row,
      (byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x60 ? String.fromCharCode(byte) : ".",
    ).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex}  ${text}`);
  }
  return lines.join("\n");
}
