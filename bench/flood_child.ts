// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Nothing } from "./commands.ts";
import { messageOf, type Payload } from "./payload.ts";
import { PeerService } from "./peer_service.ts";
import { RawAcknowledged } from "./raw_acknowledged.ts";
import type { Stage } from "./stage.ts";
import { type Wellbeing, WellbeingProbe } from "./wellbeing.ts";

/** Report of the receiver of a flood. */
export interface FloodReport extends Wellbeing {
  /** Messages per second, between the first and the last one. */
  readonly rate: number;
}

/** Messages to send. */
export interface Flood {
  readonly count: number;
  readonly payload: Payload;
  /** Whether the handler may keep nothing, as no handler of the raw socket may. */
  readonly borrow?: boolean | "range";
}

/** Prepares to count the messages of a flood. Each is looked at. */
export function expectFlood(stage: Stage, { count, payload, borrow }: Flood): void {
  const { promise, resolve } = Promise.withResolvers<FloodReport>();
  const probe = new WellbeingProbe();
  const isBytes = payload !== "event";
  let seen = 0;
  let startedAt = 0;
  let total = 0;
  const look = (number: number) => {
    if (seen++ === 0) startedAt = performance.now();
    total += number;
    if (seen < count) return;
    const seconds = (performance.now() - startedAt) / 1000;
    if (total === 0) throw new Error("Cannot count a flood: its messages are empty");
    resolve({ rate: (count - 1) / seconds, ...probe.stop() });
  };
  if (borrow === "range") ours(stage).onRange(0, (buffer, start) => look(buffer[start + 3]!));
  else if (isBytes) stage.end.on(0, (message) => look((message as Uint8Array)[3]!), borrow);
  else stage.end.on(0, (message) => look((message as { id: number }).id));
  stage.pending = promise;
}

/** Waits for what {@linkcode expectFlood} began. */
export function receiveFlood(stage: Stage, _: Nothing): Promise<FloodReport> {
  return stage.pending as Promise<FloodReport>;
}

/** Sends messages as fast as they are taken. */
export async function sendFlood({ end }: Stage, { count, payload }: Flood): Promise<Wellbeing> {
  const message = messageOf(payload);
  const probe = new WellbeingProbe();
  for (let sent = 0; sent < count; sent++) if (!end.send(0, message)) await end.ready(0);
  return probe.stop();
}

/** Sends messages with `forwardMessage`, and waits for each to be accepted. */
export async function forwardFlood(stage: Stage, { count, payload }: Flood): Promise<Wellbeing> {
  const end = ours(stage);
  const message = messageOf(payload);
  const probe = new WellbeingProbe();
  for (let sent = 0; sent < count; sent++) await end.forward(0, message);
  return probe.stop();
}

/** Sends messages with `ack: true`, so many of them unacknowledged at a time. */
export async function acknowledgedFlood(
  stage: Stage,
  { count, payload, window }: Flood & { window: number },
): Promise<Wellbeing> {
  const end = stage.end instanceof RawAcknowledged ? stage.end : ours(stage);
  const message = messageOf(payload) as Uint8Array;
  const probe = new WellbeingProbe();
  let toSend = count;
  const sendInTurn = async () => {
    while (toSend-- > 0) await end.forwardAcknowledged(0, message);
  };
  await Promise.all(Array.from({ length: window }, sendInTurn));
  return probe.stop();
}

function ours({ end }: Stage): PeerService {
  if (end instanceof PeerService) return end;
  throw new TypeError("Cannot do this with a raw socket: only a peer service can");
}
