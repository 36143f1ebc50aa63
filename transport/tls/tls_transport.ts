// Copyright 2026 the Partisan peer-service authors. MIT license.

import { lookup } from "node:dns/promises";
import type { Socket } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import type { Clock } from "../../runtime/runtime.ts";
import { type Address, formatAddress } from "../../wire/address.ts";
import { Doorbell } from "../tcp/doorbell.ts";
import type { ByteStream, Listener, Transport } from "../transport.ts";
import { CertificateError, certificateError } from "./certificate_error.ts";
import { checkCredentials, type CheckedCredentials, type TlsCredentials } from "./credentials.ts";
import { peerCertificate } from "./peer_certificate.ts";
import { proveClientAuthentication } from "./self_test.ts";
import { dial, SocketListener } from "./sockets.ts";
import { type TlsSession, TlsStream, type TlsStreamContext } from "./tls_stream.ts";
import { messageOf } from "../../runtime/message_of.ts";

/** Milliseconds in which a dialer must have finished its TLS handshake. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** Most accepted connections whose TLS handshake is not done; of more, the oldest is given up. */
const HALF_OPEN_MAX = 1_024;

/** Options of {@linkcode TlsTransport}. */
export interface TlsTransportOptions {
  /** Times the end of closing streams. */
  readonly clock: Clock;
  /** Certificate that is shown and authorities that are trusted, in both roles. */
  readonly tls: TlsCredentials;
  /**
   * Maximum time that a closed stream waits for the other end to close too, in milliseconds. After that its socket is given up,
   * and bytes that the other end has not yet taken may be lost.
   *
   * @default {1000}
   */
  readonly closeTimeout?: number | undefined;
  /**
   * Told about each dialer that was refused: with the reason, and where it is.
   *
   * @default {none}
   */
  readonly refused?: ((error: Error, at: Address) => void) | undefined;
}

/** Counters of a {@linkcode TlsTransport}. */
export interface TlsTransportStats {
  /** Connections accepted, with a certificate that holds. */
  readonly accepted: number;
  /** Connections refused, most of them for their certificate. */
  readonly refused: number;
}

/**
 * {@linkcode Transport} over mutual TLS 1.3: both ends show a certificate of an authority that the other one trusts.
 * A certificate is bound to a node's name by the manager, not to a host's name here.
 *
 * In TLS 1.3 a dialer is done before the acceptor has looked at its certificate: that it is refused shows in the first read, which
 * rejects with a {@linkcode CertificateError}.
 */
export class TlsTransport implements Transport, AsyncDisposable {
  readonly #context: TlsStreamContext;
  readonly #refused: TlsTransportOptions["refused"];
  readonly #stats = { accepted: 0, refused: 0 };
  readonly #doorbell = new Doorbell();
  /** Gives up the handshakes that acceptors have not finished, the oldest first. */
  readonly #halfOpen = new Set<() => void>();

  /**
   * Opens nothing yet.
   *
   * @throws {TypeError} When certificate, key and authorities cannot be used.
   */
  constructor(options: TlsTransportOptions) {
    const { clock, closeTimeout = 1000 } = options;
    this.#refused = options.refused;
    this.#context = {
      clock,
      credentials: checkCredentials(options.tls),
      closeTimeout,
      closing: new Set(),
      shortReads: 0,
    };
  }

  /** Counters since the transport was made. */
  get stats(): TlsTransportStats {
    return { ...this.#stats };
  }

  get shortReads(): number {
    return this.#context.shortReads;
  }

  /**
   * Shows and trusts something else from now on. Streams that are begun already stay as they are, and say that they are `outdated`.
   *
   * @throws {TypeError} When certificate, key and authorities cannot be used; then nothing changes.
   */
  update(tls: TlsCredentials): void {
    this.#context.credentials = checkCredentials(tls);
  }

  /**
   * Proves that this release of Deno refuses clients without a certificate.
   *
   * @throws {Error} When it does not; it says which release does.
   */
  prove(): Promise<void> {
    return proveClientAuthentication(this.#context.credentials, this.#context.clock);
  }

  look(): Promise<void> | undefined {
    return this.#doorbell.look();
  }

  async listen(address: Address, accept: (stream: ByteStream) => void): Promise<Listener> {
    this.#doorbell.allow();
    try {
      return await SocketListener.open(address, this.#context.clock, (raw) => this.#answer(raw, accept));
    } catch (error) {
      throw failure(`Cannot listen on "${formatAddress(address)}"`, error);
    }
  }

  async connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream> {
    const signal = options?.signal;
    const credentials = this.#context.credentials;
    this.#doorbell.allow();
    let raw: Socket | undefined;
    let socket: TLSSocket | undefined;
    try {
      raw = await dial(address, signal);
      signal?.throwIfAborted();
      socket = connect({
        ...secure(credentials),
        socket: raw,
        rejectUnauthorized: true,
        checkServerIdentity: () => undefined,
      });
      await secured(socket, signal);
      return this.#trusted(
        { socket, raw, remoteAddress: address, credentials },
        () => this.#notTrusted(address, credentials),
      );
    } catch (error) {
      discard(raw, socket);
      signal?.throwIfAborted();
      const action = `Cannot connect to "${formatAddress(address)}"`;
      throw certificateError(action, error) ?? failure(action, error);
    }
  }

  /** All addresses of a host name, as the system knows them. */
  async resolve(hostname: string): Promise<readonly string[]> {
    return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);
  }

  /** Gives up unfinished handshakes of dialers. Resolves once all that was closed has given up its sockets and addresses: within `closeTimeout`. */
  async drained(): Promise<void> {
    const { closing } = this.#context;
    for (const giveUp of [...this.#halfOpen]) giveUp();
    while (closing.size > 0) await Promise.all(closing);
    await this.#doorbell.close();
  }

  /** The same as {@linkcode drained}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drained();
  }

  /** Begins TLS on a socket that was accepted. A server of its own knows which socket fails, and shows what is shown at this time. */
  #answer(raw: Socket, accept: (stream: ByteStream) => void): void {
    const remoteAddress = { hostname: raw.remoteAddress ?? "", port: raw.remotePort ?? 0 };
    let isPending = true;
    const settle = () => {
      isPending = false;
      timer.cancel();
      this.#halfOpen.delete(refuse);
      raw.off("close", refuse);
    };
    const refuse = (error?: unknown, socket?: TLSSocket) => {
      if (!isPending) return;
      settle();
      this.#stats.refused++;
      discard(raw, socket);
      // One that only connects and closes, or says nothing at all, has not been refused.
      if (error !== undefined && raw.bytesRead > 0) this.#refused?.(refusal(error, remoteAddress), remoteAddress);
    };
    const timer = this.#context.clock.schedule(HANDSHAKE_TIMEOUT_MS, refuse);
    this.#halfOpen.add(refuse);
    if (this.#halfOpen.size > HALF_OPEN_MAX) this.#halfOpen.values().next().value?.();
    raw.once("close", refuse);
    const credentials = this.#context.credentials;
    const server = createServer({ ...secure(credentials), requestCert: true, rejectUnauthorized: true }, (socket) => {
      if (!isPending) return discard(raw, socket);
      try {
        const trusted = this.#trusted({ socket, raw, remoteAddress, credentials });
        settle();
        this.#stats.accepted++;
        hand(trusted, accept);
      } catch (error) {
        refuse(error, socket);
      }
    });
    server.once("tlsClientError", refuse);
    server.emit("connection", raw);
  }

  /** An acceptor of `node:tls` in Deno 2.9.6 closes without an alert when it does not accept a certificate that it was shown. */
  #notTrusted(address: Address, { validTo }: CheckedCredentials): CertificateError {
    const told = `Cannot talk to "${
      formatAddress(address)
    }": it closed as soon as it had seen the certificate of this node`;
    return Date.parse(validTo) < this.#context.clock.wallTime()
      ? new CertificateError("expired", `${told}, which expired on ${validTo}`)
      : new CertificateError("refused", `${told}, which is probably not of an authority that it trusts`);
  }

  /** @throws {CertificateError} When the other end has shown no certificate, whatever `authorized` says. */
  #trusted(session: Omit<TlsSession, "certificate">, silence?: () => Error): TlsStream {
    const { socket, remoteAddress } = session;
    const certificate = peerCertificate(socket);
    if (certificate === undefined || !socket.authorized) {
      throw new CertificateError(
        "none",
        `Cannot trust "${formatAddress(remoteAddress)}": it shows no certificate that holds, expected one of "ca"`,
      );
    }
    return new TlsStream({ ...session, certificate }, this.#context, silence);
  }
}

/** Hands a stream to the callback. An error of the callback is reported as if an event handler had thrown it. */
function hand(stream: ByteStream, accept: (stream: ByteStream) => void): void {
  try {
    accept(stream);
  } catch (error) {
    reportError(error);
  }
}

/** Gives up a connection whose handshake has failed. */
function discard(raw: Socket | undefined, socket: TLSSocket | undefined): void {
  socket?.on("error", () => {});
  socket?.destroy();
  raw?.destroy();
}

function secure({ cert, key, ca }: CheckedCredentials) {
  return { cert, key, ca: [...ca], minVersion: "TLSv1.3" as const };
}

/** Resolves once the handshake is done. */
function secured(socket: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      socket.off("secureConnect", connected);
      socket.off("error", failed);
      socket.off("close", closed);
      signal?.removeEventListener("abort", abort);
      action();
    };
    const connected = () => settle(resolve);
    const failed = (error: unknown) => settle(() => reject(error));
    const closed = () => failed(new Error("the other end closed during the handshake"));
    const abort = () => failed(signal?.reason);
    socket.once("secureConnect", connected);
    socket.once("error", failed);
    socket.once("close", closed);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Reason for which a dialer was refused. */
function refusal(error: unknown, at: Address): Error {
  if (error instanceof CertificateError) return error;
  const action = `Cannot accept "${formatAddress(at)}"`;
  // Deno 2.9.6 tells an acceptor that the socket is closed, and nothing more.
  if (!(error instanceof Error)) {
    return new CertificateError(
      "refused",
      `${action}: TLS failed; it may show no certificate of "ca", or not trust this one`,
    );
  }
  return certificateError(action, error) ?? failure(action, error);
}

/** Words of Rustls and of OpenSSL for a first answer that is none of TLS. */
const NO_TLS = /InvalidContentType|wrong version number/i;

function failure(action: string, cause: unknown): Error {
  const detail = messageOf(cause);
  const what = NO_TLS.test(detail) ? "what answers there does not speak TLS: " : "";
  return new Error(`${action}: ${what}${detail}`, { cause });
}
