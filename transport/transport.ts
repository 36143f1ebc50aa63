// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../wire/address.ts";

/** Certificate that the other end of a stream has shown, with proof that it holds the key. */
export interface PeerCertificate {
  /** Distinguished name of the holder: pairs such as `CN` and `"a"`. */
  readonly subject: Readonly<Record<string, string>>;
  /** DNS names that the certificate is for. */
  readonly dnsNames: readonly string[];
  /** URIs that the certificate is for. */
  readonly uris: readonly string[];
  /** End of its validity, as the certificate words it: `"Nov 28 16:45:03 2026 GMT"`. */
  readonly validTo: string;
  /** SHA-256 of the certificate: 32 bytes in hexadecimal, separated by colons. */
  readonly fingerprint256: string;
}

/**
 * An ordered, reliable stream of bytes between two nodes: what TCP gives.
 * Nothing is lost within it; it may end at any moment.
 */
export interface ByteStream {
  /** The other end, as far as it is known. */
  readonly remoteAddress: Address;
  /** The certificate of the other end. Left out where the transport knows of none. */
  readonly certificate?: PeerCertificate | undefined;
  /** SHA-256 of the certificate that this end has shown. Left out where it has shown none. */
  readonly ownFingerprint256?: string;
  /** Whether the transport has got other certificates since the stream was begun. */
  readonly outdated?: boolean;
  /**
   * Reads at least one byte into `buffer`.
   *
   * @returns The number of bytes read, or `null` once the other end has closed.
   * @throws When the stream is broken, or closed on this side. At most one read may wait at a time.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Writes all of `bytes`, which must not change before the promise is settled.
   * At most one write may wait at a time.
   *
   * @throws When the stream is broken, or closed on either side.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Closes both directions. Bytes whose write has resolved still reach the other end. Waiting reads and
   * writes reject. Closing twice is a no-op.
   */
  close(): void;
}

/** An open listening address. */
export interface Listener {
  /** The bound address, with the port that was really given. */
  readonly address: Address;
  /** Stops listening. Streams that were accepted before live on. Closing twice is a no-op. */
  close(): void;
}

/**
 * Opens streams and listens for them. `tests/transport/transport_suite.ts` checks the contract over every implementation.
 */
export interface Transport {
  /**
   * Listens on `address` and hands each accepted stream to `accept`. Survives passing failures of
   * accepting (such as too many open files).
   *
   * @param failed Is told of each failure of accepting that the transport learns of.
   * @throws When the address cannot be bound.
   */
  listen(
    address: Address,
    accept: (stream: ByteStream) => void,
    failed?: (error: unknown) => void,
  ): Promise<Listener>;
  /**
   * Opens a stream to `address`.
   *
   * @throws When nothing answers there, or with the reason of `signal` once that is aborted.
   */
  connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream>;
  /**
   * The addresses that a host name stands for, in the order in which `connect` tries them. Left out where each name is one host.
   *
   * @throws When the name is not known.
   */
  resolve?(hostname: string): Promise<readonly string[]>;
  /**
   * Resolves once everything that was closed has let go of its resources, such as the port. Left out where closing does that at once.
   */
  drained?(): Promise<void>;
  /**
   * Number of reads, over all streams, that brought no more than a short message: signs of conversations that should not have
   * to wait long for transfers in bulk. Left out where reading takes no time.
   */
  readonly shortReads?: number;
  /**
   * Resolves once the system was asked which streams are ready. Left out, or `undefined`, where there is no quicker way than to wait until the
   * event loop comes to it.
   */
  look?(): Promise<void> | undefined;
}
