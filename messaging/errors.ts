// Copyright 2026 the Partisan peer-service authors. MIT license.

/** There is no usable connection to the node, and none was promised. The message was not sent. */
export class NotConnectedError extends Error {
  /** Always `"NotConnectedError"`. */
  override readonly name = "NotConnectedError";
}

/** An injected partition lies between the two nodes. The message was not sent. */
export class PartitionedError extends Error {
  /** Always `"PartitionedError"`. */
  override readonly name = "PartitionedError";
}

/** The outbound queue is at its bound. The message was not sent; wait for `ready()` and send again. */
export class QueueFullError extends Error {
  /** Always `"QueueFullError"`. */
  override readonly name = "QueueFullError";
}

/** The message is larger than `maxFrameBytes` once encoded. It was not sent. */
export class MessageTooLargeError extends Error {
  /** Always `"MessageTooLargeError"`. */
  override readonly name = "MessageTooLargeError";
}

/** No acknowledgement came within the timeout. The message may have been delivered all the same. */
export class AckTimeoutError extends Error {
  /** Always `"AckTimeoutError"`. */
  override readonly name = "AckTimeoutError";
}

/** The value cannot be encoded. It was not sent. */
export class EncodeError extends Error {
  /** Always `"EncodeError"`. */
  override readonly name = "EncodeError";
}

/** The peer service was stopped. What was waiting may or may not have been delivered. */
export class StoppedError extends Error {
  /** Always `"StoppedError"`. */
  override readonly name = "StoppedError";
}

/** The receiver's buffer for causally ordered messages is full. The message was not delivered. */
export class ReceiveBufferFullError extends Error {
  /** Always `"ReceiveBufferFullError"`. */
  override readonly name = "ReceiveBufferFullError";
}

/** The handler of a call threw, or there is none. The message is that of what it threw. */
export class CallError extends Error {
  /** Always `"CallError"`. */
  override readonly name = "CallError";
}
