// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Retransmission } from "./retransmission.ts";

/** Delivery guarantees of a message beyond the life of a connection. */
export interface GuaranteeOptions {
  /**
   * Whether to wait until the handler has handled the message: it has returned, or its promise has resolved. The message is sent again
   * until then, and its handler sees it once.
   *
   * @default {false}
   */
  readonly ack?: boolean | undefined;
  /**
   * Schedule by which an unacknowledged message is sent again; `false` for never.
   *
   * @default {after 1 s, then doubled up to 30 s, with jitter}
   */
  readonly retransmission?: Retransmission | boolean | undefined;
  /**
   * Messages under one label are delivered in causal order at every node; see `causalLabels` of the start options.
   *
   * @default {none: order holds per connection only}
   */
  readonly causalLabel?: string | undefined;
  /**
   * Identity of an acknowledged message, chosen by the sender: forwarding the same one to the same node again waits for the first one instead of
   * sending a second.
   *
   * @default {none: every message is another one}
   */
  readonly clock?: string | number | undefined;
}

/** Whether a message asks for more than a plain connection gives. */
export function needsGuarantee({ ack, causalLabel }: GuaranteeOptions): boolean {
  return ack === true || causalLabel !== undefined;
}
