// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PayloadCodec } from "../../wire/payload_codec.ts";
import { type InboundMessage, readHandlerName, readMessage } from "../../messaging/message_frame.ts";
import { Connection, type ConnectionIdentity, type ConnectionOptions } from "../../connections/connection.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { type Frame, FrameReader } from "../../wire/frame_reader.ts";
import { Peer } from "../../connections/peer.ts";
import { nodeSpec } from "../node_spec.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";
import { FakeStream, settled } from "../connections/fake_stream.ts";

const OPTIONS: ConnectionOptions = {
  maxFrameBytes: 2 ** 24,
  maxQueuedBytes: 2 ** 26,
  highWaterMark: 2 ** 24,
  compression: false,
};

/** A connection with node "b" over a stream whose other end is the test. */
export class ConnectionBench {
  readonly stream: FakeStream = new FakeStream();
  readonly connection: Connection<Peer>;

  constructor(options: Partial<ConnectionOptions> = {}, identity: Partial<ConnectionIdentity<Peer>> = {}) {
    const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
    const handler = { frame: () => {}, message: () => {}, closed: () => {} };
    this.connection = new Connection(
      { peer, channel: "default", index: 0, dial: 1, outbound: true, ...identity },
      this.stream,
      new FrameReader(this.stream, 2 ** 24),
      handler,
      bareRuntime(),
      { ...OPTIONS, ...options },
    );
  }

  /** The frames that were written so far. */
  async frames(): Promise<Frame[]> {
    await settled();
    const stream = new FakeStream();
    stream.give(...this.stream.writes);
    stream.end();
    const reader = new FrameReader(stream, 2 ** 26);
    const frames: Frame[] = [];
    for (let frame = await reader.next(); frame !== null; frame = await reader.next()) {
      frames.push({ ...frame, body: frame.body.slice() });
    }
    return frames;
  }

  /** The messages that a receiver finds in what was written so far. */
  async messages(codec: PayloadCodec): Promise<InboundMessage[]> {
    const receiver = new ConnectionBench().connection;
    const messages: InboundMessage[] = [];
    for (const { kind, body } of await this.frames()) {
      if (kind === FrameKind.handlerName) readHandlerName(receiver, body);
      else messages.push(readMessage(receiver, codec, kind, body, 0, body.length));
    }
    return messages;
  }
}
