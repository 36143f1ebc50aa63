// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Stands in for `@std/msgpack` where JSR cannot be reached: MessagePack in the plainest way, for tests that only need
 * some other codec. It is no oracle for ours; a test that wants one is ignored unless
 * `import.meta.resolve("@std/msgpack")` names the real package.
 *
 * @module
 */

export type ValueType = number | bigint | string | boolean | null | Uint8Array | ValueType[] | ValueMap;

export interface ValueMap {
  [key: string | number]: ValueType;
}

/** The first byte of what has no length in it. */
const FLOAT64 = 0xcb;
const SCALARS = new Map<unknown, number>([[null, 0xc0], [false, 0xc2], [true, 0xc3]]);

export function encode(value: ValueType): Uint8Array {
  const out: number[] = [];
  write(out, value);
  return Uint8Array.from(out);
}

function write(out: number[], value: ValueType): void {
  const scalar = SCALARS.get(value);
  if (scalar !== undefined) out.push(scalar);
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "bigint") writeBigInt(out, value);
  else if (typeof value === "string") writeString(out, new TextEncoder().encode(value));
  else if (value instanceof Uint8Array) writeBytes(out, value);
  else if (Array.isArray(value)) {
    writeHead(out, value.length, 0x90, 16, [0, 0xdc, 0xdd]);
    for (const item of value) write(out, item);
  } else if (isPlainObject(value)) {
    const entries = Object.entries(value);
    writeHead(out, entries.length, 0x80, 16, [0, 0xde, 0xdf]);
    for (const [key, item] of entries) {
      write(out, key);
      write(out, item);
    }
  } else throw new TypeError(`Cannot encode a value of type "${typeof value}"`);
}

function isPlainObject(value: unknown): value is ValueMap {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Integers beyond 32 bits travel as floats; only a bigint takes 64 bits of integer. */
function writeNumber(out: number[], value: number): void {
  if (!Number.isInteger(value) || value >= 0x100000000 || value < -0x80000000) {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    out.push(FLOAT64, ...new Uint8Array(view.buffer));
  } else if (value >= -0x20 && value < 0x80) out.push(value & 0xff);
  else if (value >= 0) {
    if (value < 0x100) out.push(0xcc, value);
    else if (value < 0x10000) writeInteger(out, 0xcd, value, 2);
    else writeInteger(out, 0xce, value, 4);
  } else if (value >= -0x80) out.push(0xd0, value & 0xff);
  else if (value >= -0x8000) writeInteger(out, 0xd1, value, 2);
  else writeInteger(out, 0xd2, value, 4);
}

function writeBigInt(out: number[], value: bigint): void {
  if (value < -(1n << 63n) || value >= 1n << 64n) throw new RangeError("Cannot encode a bigint of more than 64 bits");
  writeInteger(out, value < 0n ? 0xd3 : 0xcf, value, 8);
}

function writeString(out: number[], bytes: Uint8Array): void {
  if (bytes.length >= 32 && bytes.length < 0x100) out.push(0xd9, bytes.length);
  else writeHead(out, bytes.length, 0xa0, 32, [0, 0xda, 0xdb]);
  for (const byte of bytes) out.push(byte);
}

function writeBytes(out: number[], bytes: Uint8Array): void {
  writeHead(out, bytes.length, 0, 0, [0xc4, 0xc5, 0xc6]);
  for (const byte of bytes) out.push(byte);
}

/** The length in the first byte itself when it is under `fixedLimit`, else in one (where there is a code), two or four bytes. */
function writeHead(
  out: number[],
  length: number,
  fixed: number,
  fixedLimit: number,
  codes: [number, number, number],
): void {
  if (length < fixedLimit) out.push(fixed | length);
  else if (length < 0x100 && codes[0] !== 0) out.push(codes[0], length);
  else if (length < 0x10000) writeInteger(out, codes[1], length, 2);
  else writeInteger(out, codes[2], length, 4);
}

/** Big endian, two's complement. */
function writeInteger(out: number[], code: number, value: number | bigint, size: number): void {
  out.push(code);
  for (let shift = BigInt(8 * (size - 1)); shift >= 0n; shift -= 8n) out.push(Number(BigInt(value) >> shift & 0xffn));
}

export function decode(bytes: Uint8Array): ValueType {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (reader.left > 0) throw new EvalError("Messagepack decode did not consume whole array");
  return value;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  value(): ValueType {
    const code = this.#view.getUint8(this.#advance(1));
    if (code < 0x80) return code;
    if (code < 0x90) return this.#map(code & 0x0f);
    if (code < 0xa0) return this.#array(code & 0x0f);
    if (code < 0xc0) return this.#string(code & 0x1f);
    if (code >= 0xe0) return code - 0x100;
    return this.#coded(code);
  }

  #coded(code: number): ValueType {
    const view = this.#view;
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return code === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#unsigned(1 << (code - 0xc4)));
      case 0xca:
        return view.getFloat32(this.#advance(4));
      case FLOAT64:
        return view.getFloat64(this.#advance(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (code - 0xcc));
      case 0xcf:
        return view.getBigUint64(this.#advance(8));
      case 0xd0:
        return view.getInt8(this.#advance(1));
      case 0xd1:
        return view.getInt16(this.#advance(2));
      case 0xd2:
        return view.getInt32(this.#advance(4));
      case 0xd3:
        return view.getBigInt64(this.#advance(8));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#unsigned(1 << (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(2 << (code - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(2 << (code - 0xde)));
      default:
        throw new TypeError(`Cannot decode the type byte 0x${code.toString(16)}`);
    }
  }

  #unsigned(size: number): number {
    const at = this.#advance(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  #string(length: number): string {
    return new TextDecoder().decode(this.#take(length));
  }

  #array(length: number): ValueType[] {
    return Array.from({ length }, () => this.value());
  }

  #map(length: number): ValueMap {
    const map: ValueMap = {};
    for (let entry = 0; entry < length; entry++) {
      const key = this.value();
      if (typeof key !== "string" && typeof key !== "number") {
        throw new TypeError("Cannot decode a map: a key is no string");
      }
      Object.defineProperty(map, key, { value: this.value(), configurable: true, enumerable: true, writable: true });
    }
    return map;
  }

  #advance(count: number): number {
    if (count > this.left) throw new RangeError("Cannot decode: the data end early");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
