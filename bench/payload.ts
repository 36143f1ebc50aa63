// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Payload that is sent: bytes of a size, or a small structured value. */
export type Payload = number | "event";

/** The small event object that the codec is measured with as well. */
export const EVENT = {
  type: "order.created",
  id: 48_213,
  user: "alice",
  total: 129.95,
  paid: true,
  tags: ["new", "eu"],
};

/** A message to send. */
export function messageOf(payload: Payload): unknown {
  return payload === "event" ? EVENT : Uint8Array.from({ length: payload }, (_, index) => index);
}

/** Name of a payload in the table. */
export function payloadName(payload: Payload): string {
  if (payload === "event") return "small event object";
  return payload < 1024 ? `${payload} B` : `${payload / 1024} KiB`;
}
