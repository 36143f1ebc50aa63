// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes of nearly the largest piece of memory by which glibc still goes: 32 MiB (`DEFAULT_MMAP_THRESHOLD_MAX`), less its head and a rest of a page. */
const ADAPTING_BYTES = 32 * 1024 * 1024 - 64 * 1024;
/** Bytes from which on glibc takes memory from the system for a piece alone, at first (`DEFAULT_MMAP_THRESHOLD_MIN`). */
const MAPPED_BYTES = 128 * 1024;
/** Bytes that are made before a piece of ballast is added: a process that makes a large buffer now and then needs none. */
const BYTES_PER_PIECE = 4 * 1024 * 1024;
/** Numbers of 8 bytes in a piece of ballast: small enough to be made within a millisecond. */
const PIECE_NUMBERS = 128 * 1024;
/** With 16 MiB the limit of a small heap lies above all that V8 lets gather. */
const PIECES_MAX = 16;

let hasAdapted = false;
let bytesUntilPiece = BYTES_PER_PIECE;
/** Numbers that are never read. */
const ballast: number[][] = [];

/**
 * Memory for large bytes, or for many small ones, all zeros.
 *
 * From the first one of 128 KiB on, the process keeps up to 64 MiB of freed memory for what it makes next. By itself glibc gives large pieces back to
 * the system as soon as they are freed, and the kernel clears each page again when it is next touched. It goes by the largest piece that was
 * freed so far (`mallopt(3)`, "dynamic mmap threshold"), so one is made and freed, of which no page is ever touched. Other allocators take
 * no notice.
 *
 * A process that makes many of them comes to carry 16 MiB of ballast. V8 collects young memory, which takes a fifth of a millisecond, once there
 * are 64 MiB of young buffers. It marks the whole heap, which takes 5 ms and more, when heap and buffers together come near a limit: about four
 * times the heap that was left the last time. In a process with a heap of 10 MiB that limit is met first, again and again. With the ballast it is not.
 */
export function makeLargeBuffer(bytes: number): Uint8Array<ArrayBuffer> {
  if (!hasAdapted && bytes >= MAPPED_BYTES) {
    hasAdapted = true;
    new ArrayBuffer(ADAPTING_BYTES).transfer(0);
  }
  count(bytes);
  return new Uint8Array(bytes);
}

/** A copy of bytes that may be many: it counts as memory that {@linkcode makeLargeBuffer} made. */
export function copyToLargeBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  count(bytes.length);
  return bytes.slice();
}

/** Counts what is made, and adds ballast. */
function count(bytes: number): void {
  bytesUntilPiece -= bytes;
  if (bytesUntilPiece > 0 || ballast.length >= PIECES_MAX) return;
  bytesUntilPiece = BYTES_PER_PIECE;
  ballast.push(new Array(PIECE_NUMBERS).fill(0.5));
}
