// Copyright 2026 the Partisan peer-service authors. MIT license.

import { encodeHello, type Hello, PROTOCOL_VERSIONS } from "../../connections/handshake/hello.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import type { Address } from "../../wire/address.ts";
import { present } from "../values.ts";

/** Hello of a dialer in an open cluster, with these changes. */
export function hello(changes: Record<string, unknown> & Partial<Hello> = {}): Uint8Array {
  const { versions = PROTOCOL_VERSIONS, cluster = "default", sealed = false, ...others } = changes;
  return new Uint8Array([
    ...frame(FrameKind.hello, encodeHello({ versions, cluster, sealed })),
    ...introduction(others),
  ]);
}

/** The second frame of it. */
export function introduction(changes: Record<string, unknown> = {}): Uint8Array {
  const channel = { parallelism: 1, monotonic: false, compression: false };
  const body = {
    strategy: "full-mesh",
    spec: {
      name: "stranger",
      incarnation: 1,
      addresses: [{ hostname: "127.0.0.1", port: 1 }],
      channels: { default: channel, membership: channel },
      metadata: {},
    },
    to: null,
    toIncarnation: 0,
    channel: "membership",
    index: 0,
    dial: 1,
    seen: 0,
    features: [],
    maxFrameBytes: 2 ** 20,
    ...changes,
  };
  return frame(FrameKind.introduction, encode(body));
}

/** A frame, whatever is in it. */
export function frame(kind: number, body: Uint8Array, length = body.length + 1): Uint8Array {
  const bytes = new Uint8Array(5 + body.length);
  new DataView(bytes.buffer).setUint32(0, length);
  bytes[4] = kind;
  bytes.set(body, 5);
  return bytes;
}

/** A refusal, as the node at the other end words it. */
export interface Answer {
  readonly kind: number;
  readonly code?: string;
  readonly reason?: string;
}

/** A node that speaks to a port as they like. */
export class HostileClient implements Disposable {
  readonly #connection: Deno.Conn;
  #heard = new Uint8Array();

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async dial(address: Address): Promise<HostileClient> {
    return new HostileClient(await Deno.connect(address));
  }

  /** Writes all of it, as far as the other end takes it. @returns Whether it took everything. */
  async say(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  /** Reads to the end. @returns The frames that came. */
  async hearAll(): Promise<Answer[]> {
    const chunk = new Uint8Array(4_096);
    for (;;) {
      const count = await this.#connection.read(chunk).catch(() => null);
      if (count === null) break;
      const heard = new Uint8Array(this.#heard.length + count);
      heard.set(this.#heard);
      heard.set(chunk.subarray(0, count), this.#heard.length);
      this.#heard = heard;
    }
    return this.#answers();
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
  }

  #answers(): Answer[] {
    const answers: Answer[] = [];
    const view = new DataView(this.#heard.buffer);
    for (let at = 0; at + 5 <= this.#heard.length;) {
      const end = at + 4 + view.getUint32(at);
      const kind = present(this.#heard[at + 4]);
      const body = this.#heard.subarray(at + 5, end);
      answers.push(
        kind === FrameKind.refused ? { kind, ...decode(body) as { code: string; reason: string } } : { kind },
      );
      at = end;
    }
    return answers;
  }
}
