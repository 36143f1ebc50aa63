// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Distinguished Encoding Rules (ITU-T X.690): the few forms that a certificate needs. */

const encoder = new TextEncoder();

/** A value with its tag and length. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError(`Cannot write a DER value: it has ${length} bytes, at most 65535`);
  return concat([tag, ...size], ...contents);
}

/** An ordered collection. */
export function sequence(...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return der(0x30, ...contents);
}

/** A non-negative number, most significant byte first. */
export function integer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return der(0x02, digits[0]! >= 0x80 ? concat([0], digits) : digits);
}

/** An object identifier in dotted form. */
export function objectId(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift(0x80 | (left & 0x7f));
    bytes.push(...septets);
  }
  return der(0x06, Uint8Array.from(bytes));
}

/** Text in UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return der(0x0c, encoder.encode(text));
}

/** A point in time, by the second; four digits of the year from 2050 on (RFC 5280, section 4.1.2.5). */
export function time(date: Date): Uint8Array<ArrayBuffer> {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? der(0x17, encoder.encode(digits.slice(2))) : der(0x18, encoder.encode(digits));
}

/** Whole bytes as a string of bits, of which the last `unused` do not count. */
export function bits(bytes: Uint8Array, unused = 0): Uint8Array<ArrayBuffer> {
  return der(0x03, Uint8Array.of(unused), bytes);
}

function concat(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}
