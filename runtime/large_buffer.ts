// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes of nearly the largest piece of memory by which glibc still goes: 32 MiB (`DEFAULT_MMAP_THRESHOLD_MAX`), less its head and a rest of a page. */
const ADAPTING_BYTES = 32 * 1024 * 1024 - 64 * 1024;

let hasAdapted = false;

/**
 * Memory for large bytes, all zeros.
 *
 * From the first one on, the process keeps up to 64 MiB of freed memory for what it makes next. By itself glibc gives large pieces back to
 * the system as soon as they are freed, and the kernel clears each page again when it is next touched. It goes by the largest piece that was
 * freed so far (`mallopt(3)`, "dynamic mmap threshold"), so one is made and freed, of which no page is ever touched. Other allocators take
 * no notice.
 */
export function makeLargeBuffer(bytes: number): Uint8Array<ArrayBuffer> {
  if (!hasAdapted) {
    hasAdapted = true;
    new ArrayBuffer(ADAPTING_BYTES).transfer(0);
  }
  return new Uint8Array(bytes);
}
