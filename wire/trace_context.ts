// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Position of an operation in a trace: the fields of `traceparent`, version 0.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export interface TraceContext {
  /** The trace: 32 hexadecimal digits, not all of them 0. */
  readonly traceId: string;
  /** The span in it that is the parent: 16 hexadecimal digits, not all of them 0. */
  readonly spanId: string;
  /** Flags, 0 to 255; 1 means that it is recorded. */
  readonly traceFlags: number;
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** Bytes of a trace context on the wire: trace id, span id and flags, as they are. */
export const TRACE_BYTES: number = TRACE_ID_BYTES + SPAN_ID_BYTES + 1;

/** The form in which a trace context travels; `undefined` when it is none. */
export function traceToBytes({ traceId, spanId, traceFlags }: TraceContext): Uint8Array | undefined {
  if (!/^[0-9a-f]{32}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId)) return undefined;
  const bytes = new Uint8Array(TRACE_BYTES);
  const digits = traceId + spanId;
  for (let at = 0; at < TRACE_BYTES - 1; at++) bytes[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  bytes[TRACE_BYTES - 1] = traceFlags;
  return bytes;
}

/** Reads a trace context; `undefined` when it is none: then what it came with belongs to no trace. */
export function traceFromBytes(bytes: Uint8Array): TraceContext | undefined {
  if (bytes.length !== TRACE_BYTES) return undefined;
  const traceId = hex(bytes.subarray(0, TRACE_ID_BYTES));
  const spanId = hex(bytes.subarray(TRACE_ID_BYTES, TRACE_BYTES - 1));
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: bytes[TRACE_BYTES - 1]! };
}

/** Reads a trace context from a value that came over the wire, if it has the form of one. */
export function traceFromValue(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length === TRACE_BYTES ? value : undefined;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
