// Copyright 2026 the Partisan peer-service authors. MIT license.

/** As much of MessagePack as nodes say to each other, after its specification and not after `wire/`. */

/** Encodes a value of null, booleans, numbers, strings, bytes, arrays and plain objects. */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  write(bytes, value);
  return Uint8Array.from(bytes);
}

function write(bytes: number[], value: unknown): void {
  if (value === null) bytes.push(0xc0);
  else if (typeof value === "boolean") bytes.push(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") writeNumber(bytes, value);
  else if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    if (text.length < 32) bytes.push(0xa0 | text.length);
    else bytes.push(0xda, text.length >> 8, text.length & 0xff);
    bytes.push(...text);
  } else if (value instanceof Uint8Array) bytes.push(0xc5, value.length >> 8, value.length & 0xff, ...value);
  else if (Array.isArray(value)) {
    bytes.push(0xdc, value.length >> 8, value.length & 0xff);
    for (const element of value) write(bytes, element);
  } else {
    const entries = Object.entries(value as object);
    bytes.push(0xde, entries.length >> 8, entries.length & 0xff);
    for (const entry of entries) entry.forEach((part) => write(bytes, part));
  }
}

function writeNumber(bytes: number[], value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  if (Number.isInteger(value) && value >= 0 && value < 128) return void bytes.push(value);
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
    view.setUint32(0, value);
    return void bytes.push(0xce, ...new Uint8Array(view.buffer, 0, 4));
  }
  view.setFloat64(0, value);
  bytes.push(0xcb, ...new Uint8Array(view.buffer));
}

/** Decodes one value that fills `bytes`. */
export function unpack(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (reader.at !== bytes.length) throw new TypeError(`${bytes.length - reader.at} bytes behind the value`);
  return value;
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  value(): unknown {
    const head = this.#uint(1);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f);
    if (head < 0xa0) return this.#list(head & 0x0f);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (head - 0xc4)));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.#uint(1 << (head - 0xcc));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#uint(2 << (head - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (head - 0xde)));
      default:
        throw new TypeError(`unknown type 0x${head.toString(16)}`);
    }
  }

  #map(size: number): Record<string, unknown> {
    return Object.fromEntries(Array.from({ length: size }, () => [String(this.value()), this.value()]));
  }

  #list(size: number): unknown[] {
    return Array.from({ length: size }, () => this.value());
  }

  #text(size: number): string {
    return new TextDecoder().decode(this.#take(size));
  }

  #take(size: number): Uint8Array {
    const start = this.#skip(size);
    return this.#bytes.slice(start, start + size);
  }

  #uint(size: number): number {
    const start = this.#skip(size);
    return this.#bytes.subarray(start, start + size).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  #skip(size: number): number {
    const start = this.at;
    this.at += size;
    if (this.at > this.#bytes.length) throw new TypeError("truncated");
    return start;
  }
}
