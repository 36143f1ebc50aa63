// Copyright 2026 the Partisan peer-service authors. MIT license.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Records of one name, by type. IPv6 addresses are written out in full. */
export interface DnsRecords {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly SRV?: readonly { readonly target: string; readonly port: number }[];
}

const TYPES = new Map<number, keyof DnsRecords>([[1, "A"], [28, "AAAA"], [33, "SRV"]]);
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

/** A name server on a port of loopback that knows a few names (RFC 1035, RFC 2782). */
export class DnsServer implements AsyncDisposable {
  /** The records by name; may be changed at any time. */
  readonly names = new Map<string, DnsRecords>();
  /** Types of which every query fails. */
  readonly broken = new Set<keyof DnsRecords>();
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (query, { port, address }) => socket.send(this.#answer(query), port, address));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new DnsServer(socket);
  }

  /** Address of the server, as a resolver takes it. */
  get nameServer(): { ipAddr: string; port: number } {
    return { ipAddr: "127.0.0.1", port: (this.#socket.address() as AddressInfo).port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }

  #answer(query: Uint8Array): Uint8Array {
    const view = new DataView(query.buffer, query.byteOffset, query.byteLength);
    const { name, end } = readName(query, 12);
    const type = TYPES.get(view.getUint16(end));
    const question = query.subarray(12, end + 4);
    const records = this.names.get(name.toLowerCase());
    const isBroken = type !== undefined && this.broken.has(type);
    const code = isBroken ? SERVER_FAILURE : records === undefined ? NAME_ERROR : 0;
    const answers = code !== 0 || type === undefined ? [] : (records?.[type] ?? []).map((record) => dataOf(record));
    const typeNumber = view.getUint16(end);
    const header = [view.getUint16(0), 0x8580 | code, 1, answers.length, 0, 0].flatMap(u16);
    const sections = answers.flatMap((data) => [0xc00c, typeNumber, 1, 0, 1, data.length].flatMap(u16).concat(data));
    return new Uint8Array([...header, ...question, ...sections]);
  }
}

function readName(bytes: Uint8Array, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(new TextDecoder().decode(bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

function writeName(name: string): number[] {
  return [...name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

function dataOf(record: string | { readonly target: string; readonly port: number }): number[] {
  if (typeof record !== "string") return [...[0, 0, record.port].flatMap(u16), ...writeName(record.target)];
  if (record.includes(":")) return record.split(":").flatMap((part) => u16(Number.parseInt(part, 16)));
  return record.split(".").map(Number);
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}
