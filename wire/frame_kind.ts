// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The `kind` byte of a frame: `u32 length (big endian) | u8 kind | body`, where length counts kind and body.
 * Numbers are part of the wire protocol (see `docs/protocol.md`): never reuse one. A receiver counts and
 * ignores kinds that it does not know.
 */
export const FrameKind = {
  /** Dialer → acceptor, in the clear: which versions of the protocol, and which cluster. With a secret, the first message of the Noise handshake. */
  hello: 0x01,
  /** Acceptor → dialer: the second message of the Noise handshake. Without a secret: whether the dialer is still there. */
  welcome: 0x02,
  /** Dialer → acceptor: who I am, and which connection this is. With a secret, sealed in the third message of the Noise handshake. */
  introduction: 0x03,
  /** Acceptor → dialer: who I am, and that the connection is open. With a secret, sealed. */
  ready: 0x04,
  /** Either → either: the connection is refused, and why. The sender closes after it. */
  refused: 0x05,

  /** A message between two instances of the membership strategy. */
  strategy: 0x10,
  /** The sender's heartbeat counter, or that of a third node. */
  heartbeat: 0x11,
  /** Asks for an answer, which measures the round trip and proves that all that was sent before was handled. */
  ping: 0x12,
  /** The answer to a ping. */
  pong: 0x13,
  /** Marks and heals injected partitions. */
  partition: 0x14,
  /** Broadcast tree: payloads, announcements, grafts and prunes. */
  broadcast: 0x15,
  /** Whether the sender wants connections with the receiver: unless it says so, yes. */
  interest: 0x16,
  /** The sender puts nothing more into this connection: another one has taken its slot. It closes once both sides have said so. */
  drain: 0x17,
  /** Attributes of nodes: digests, summaries, changes. */
  attributes: 0x18,
  /** True: the dialer of this connection should dial it anew. False: the dialer has tried, and cannot. */
  renew: 0x19,
  /** The caller has given a call up: its number. */
  cancel: 0x1a,
  /** Asks whether what was sent over this connection was read: the number of the question. */
  probe: 0x1b,
  /** The last question that was read, as was all that was sent before it; and how many messages were read so far. */
  probed: 0x1c,
  /** Asks whether a dial is the receiver's, which is under way under its name: number of the question, ticket of the dial. */
  vouch: 0x1d,
  /** The answer: number of the question, 1 for yes, 0 for no. */
  vouched: 0x1e,
  /** Over the membership connection: bytes of a connection that has no socket yet, room for more, or that it moves to its socket. */
  early: 0x1f,

  /** Binds a number to a handler name, for this connection and direction. */
  handlerName: 0x20,
  /** A message to a handler: `u16 handler number | payload`. */
  message: 0x21,
  /** A message with guarantees: `u16 handler number | envelope | payload`. */
  envelope: 0x22,
  /** Message ids that the sender has handled. */
  ack: 0x23,
  /** A `message` or `envelope` that belongs to a trace: `25 bytes of trace context | u8 kind | body of that kind`. */
  traced: 0x24,
  /** A message on its way to a third node. */
  relay: 0x25,
  /** A batch of frames, deflated together. */
  compressed: 0x26,
  /** Asks a handler for a stream: `u32 stream | u8 form | u32 window | u32 length | name | message`. */
  streamOpen: 0x27,
  /** The stream is open: `u32 stream | u32 window`. */
  streamAccept: 0x28,
  /** Bytes of a stream: `u32 stream | u48 position | bytes`. */
  streamData: 0x29,
  /** The receiver has room for a stream's bytes up to a position: `u32 stream | u48 position`. */
  streamCredit: 0x2a,
  /** The sender has written all of its half of a stream: `u32 stream | u48 position`. */
  streamEnd: 0x2b,
  /** The sender has given up what it writes (1), what it reads (2), or both (3): `u32 stream | u8 halves | [name, message, code]`. */
  streamReset: 0x2c,
} as const;

/** One of {@linkcode FrameKind}'s numbers. */
export type FrameKind = typeof FrameKind[keyof typeof FrameKind];

/** Most bytes of a frame, kind included, that nodes send on their own account. Payloads of users are in frames of other kinds. */
export const CONTROL_FRAME_BYTES: number = 1024 * 1024;

/** Kinds of frames below the first message that carry a user's payload all the same. */
const WITH_PAYLOAD: ReadonlySet<number> = new Set([FrameKind.broadcast]);

/** Whether frames of a kind are bounded by {@linkcode CONTROL_FRAME_BYTES}. */
export function isControlKind(kind: number): boolean {
  return (kind <= FrameKind.handlerName && !WITH_PAYLOAD.has(kind)) || kind === FrameKind.ack;
}

/** Whether a frame of a kind carries one message. */
export function isMessage(kind: number): boolean {
  return kind === FrameKind.message || kind === FrameKind.envelope || kind === FrameKind.traced;
}
