// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { Peer } from "../connections/peer.ts";
import type { FrameKind } from "../wire/frame_kind.ts";

/** Takes the body `buffer[start, end)` of a frame. An error that it throws closes the connection; nothing more is read from that until a promise that it returns has resolved. */
export type FrameHandler = (
  connection: Connection<Peer>,
  buffer: Uint8Array,
  start: number,
  end: number,
) => void | Promise<void>;

/** Leads each frame to the room that understands its kind. */
export class FrameRouter {
  readonly #handlers: (FrameHandler | undefined)[] = new Array(256).fill(undefined);
  /** Bytes that came in, by kind of frame: of the kinds whose value a part takes. */
  readonly bytes: Float64Array = new Float64Array(256);
  #unknown = 0;

  /** Frames of kinds that are not known here: a later version may send them. */
  get unknownFrames(): number {
    return this.#unknown;
  }

  /** Names who takes the frames of a kind. */
  on(kind: FrameKind, handler: FrameHandler): void {
    this.#handlers[kind] = handler;
  }

  /** Hands a frame over; unknown kinds are counted and ignored. */
  route(
    connection: Connection<Peer>,
    kind: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void | Promise<void> {
    const handler = this.#handlers[kind];
    if (handler === undefined) this.#unknown++;
    else return handler(connection, buffer, start, end);
  }
}
