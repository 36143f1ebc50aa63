// Copyright 2026 the Partisan peer-service authors. MIT license.

import { NoHandlerError, NotConnectedError, OverloadedError, PartitionedError, type RemoteError } from "../errors.ts";
import { callErrorOf } from "../failure.ts";

/** Error that a stream ends with here, when the other side has ended it. */
export function remoteStreamError(node: string, remote: RemoteError): Error {
  const { name, message } = remote;
  if (name === "NoHandlerError") return new NoHandlerError(message);
  if (name === "OverloadedError") return new OverloadedError(message);
  if (name === "PartitionedError") return new PartitionedError(message);
  if (name === "NotConnectedError") return new NotConnectedError(message);
  if (name === "StoppedError") return new NotConnectedError(`Cannot go on: "${node}" is gone: ${message}`);
  return callErrorOf(remote);
}
