// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Runtime } from "../../transport/runtime.ts";
import type { Connection } from "../connection.ts";
import type { ConnectionOpener, DialOptions, OpenedStream } from "../handshake/connection_opener.ts";
import type { ConnectionRequest } from "../handshake/introduction.ts";
import { MEMBERSHIP_CHANNEL, type Peer, slotKey } from "../peer.ts";
import { ForbiddenAddressError } from "../handshake/dial_trouble.ts";
import { HandshakeRefusedError } from "../handshake/refusal.ts";
import { type DialedSlot, SharedDials } from "./shared_dials.ts";
import { type Address, formatAddress } from "../../wire/address.ts";
import { Vouching } from "../vouching.ts";

/** Part of the pool that a {@linkcode Dialing} uses. */
export interface DialingHost {
  readonly runtime: Pick<Runtime, "clock" | "random">;
  /** Milliseconds in which a node has to say whose dial it is. */
  readonly patience: number;
  readonly opener: Pick<ConnectionOpener, "dial">;
  /** This node, as it is now. */
  self(): NodeSpec;
  /** Known nodes. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Those of them that are behind an injected partition. */
  readonly cutOff: ReadonlySet<Peer>;
  /** Uses a stream that was dialed. @returns The connection that fills the slot now; `null` for none. */
  use(request: ConnectionRequest, opened: OpenedStream & { spec: NodeSpec }): Connection<Peer> | null;
  /** A node knows a newer incarnation of this node's name. */
  outlived(known: number): void;
  /** Whether an address may be dialed, wherever it was learned. */
  mayDial(address: Address): boolean;
}

/** The dials of this node: numbered, and one at a time for each slot. */
export class Dialing {
  /** Knows these dials by their tickets. */
  readonly vouching: Vouching;
  readonly #host: DialingHost;
  readonly #underWay: SharedDials<Connection<Peer>>;
  #dials = 0;

  constructor(host: DialingHost) {
    this.#host = host;
    this.vouching = new Vouching(host.runtime, host.patience);
    this.#underWay = new SharedDials(host.runtime.clock);
  }

  /**
   * Opens one connection with the node that is at one of the addresses.
   *
   * @param name The node that is meant, or `null` for any node that answers.
   * @throws {HandshakeRefusedError} When that node refuses, or is not the one that was meant.
   */
  open(
    name: string | null,
    addresses: readonly Address[],
    channel: string,
    index: number,
    options: DialOptions = {},
  ): Promise<Connection<Peer>> {
    const begin = () => this.#dial(this.#request(name, channel, index), addresses, options);
    return name === null ? begin() : this.#underWay.join([name, channel, index], begin, options.signal);
  }

  /** Whether a dial is under way that began less than `milliseconds` ago. */
  hasJustBegun(slot: DialedSlot, milliseconds: number): boolean {
    return this.#underWay.hasJustBegun(slot, milliseconds);
  }

  /** Lets no caller join the dials under way any more. */
  forget(): void {
    this.#underWay.forget();
  }

  #request(to: string | null, channel: string, index: number): ConnectionRequest & { ticket: number } {
    const known = to === null ? undefined : this.#host.peers.get(to);
    const toIncarnation = known?.incarnation ?? 0;
    const seen = known?.seenDials.get(slotKey(channel, index)) ?? 0;
    const ticket = this.vouching.begin(to);
    const said = { spec: this.#host.self(), to, toIncarnation, channel, index, dial: ++this.#dials, seen, ticket };
    const request = channel === MEMBERSHIP_CHANNEL ? { ...said, wanted: known?.wanted === true } : said;
    const present = known?.at(channel, index);
    if (present?.early) return { ...request, early: [present.early.id, present.early.theirs] };
    return present?.inDoubt ? { ...request, lost: true } : request;
  }

  async #dial(
    request: ConnectionRequest & { ticket: number },
    addresses: readonly Address[],
    options: DialOptions,
  ): Promise<Connection<Peer>> {
    try {
      const opened = await this.#host.opener.dial(this.#allowed(request.to, addresses), request, options);
      if (this.#host.peers.get(opened.spec.name)?.partitioned) {
        opened.stream.close();
        throw partitioned(opened.spec.name);
      }
      const connection = this.#host.use(request, opened);
      if (connection === null) {
        throw new Error(`Cannot dial "${request.to}": there is no use for the connection any more`);
      }
      this.vouching.reached(request.ticket, connection.peer.name);
      return connection;
    } catch (error) {
      this.vouching.end(request.ticket);
      const known = error instanceof HandshakeRefusedError ? error.refusal.known : undefined;
      if (known !== undefined) this.#host.outlived(known);
      throw error;
    }
  }

  /** Those of some addresses that may be dialed now. */
  #allowed(to: string | null, addresses: readonly Address[]): readonly Address[] {
    const allowed = addresses.filter((address) => this.#host.mayDial(address));
    if (allowed.length > 0 || addresses.length === 0) return this.#onThisSide(to, allowed);
    const { hostname } = addresses[0]!;
    throw new ForbiddenAddressError(`Cannot dial "${to ?? hostname}": "allow.addresses" holds none of its addresses`);
  }

  /**
   * The addresses at which no node is known to be that is behind an injected partition: for the other side, a dial that succeeds is a sign of
   * incarnation, although nothing can follow it.
   *
   * @throws {HandshakeRefusedError} When there is none, or the node that is meant is behind one.
   */
  #onThisSide(name: string | null, addresses: readonly Address[]): readonly Address[] {
    if (this.#host.cutOff.size === 0) return addresses;
    const cutOff = [...this.#host.cutOff];
    const taken = new Set(cutOff.flatMap(({ spec }) => spec.addresses.map(formatAddress)));
    const open = addresses.filter((address) => !taken.has(formatAddress(address)));
    const isMeant = cutOff.some((peer) => peer.name === name);
    if (isMeant || (open.length === 0 && addresses.length > 0)) throw partitioned(name ?? formatAddress(addresses[0]!));
    return open;
  }
}

function partitioned(name: string): HandshakeRefusedError {
  return new HandshakeRefusedError({
    code: "partitioned",
    reason: `Cannot reach "${name}": an injected partition is in between`,
  });
}
