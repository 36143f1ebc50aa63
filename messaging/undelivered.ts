// Copyright 2026 the Partisan peer-service authors. MIT license.

import { NoHandlerError, NotConnectedError, OverloadedError, ReceiveBufferFullError } from "./errors.ts";
import type { NumberedMessage } from "./numbered_message.ts";

/** Error of a message to a node that is no member. */
export function notMember(node: string): NotConnectedError {
  return new NotConnectedError(`Cannot send to "${node}": it is not a member`);
}

/** Error of a message for which its receiver had no room until it was given up. */
export function noRoom({ node, name, causal }: NumberedMessage): Error {
  return causal === undefined
    ? new OverloadedError(
      `Cannot deliver to "${node}": the handler "${name}" had no room; send less at a time, or later`,
    )
    : new ReceiveBufferFullError(`Cannot deliver to "${node}": its buffer for causally ordered messages is full`);
}

/** Error of a message for whose name its receiver has no handler. */
export function noHandler({ node, name }: NumberedMessage): NoHandlerError {
  return new NoHandlerError(`Cannot deliver to "${node}": no handler is registered as "${name}" there`);
}
