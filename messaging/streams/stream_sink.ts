// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Is told by an end of a stream what comes, and when its halves are over. */
export interface StreamSink {
  /** Nothing more can be written. */
  writingFailed(error: unknown): void;
  /** Bytes have come, and none are held. @returns The number of them that were read at once. */
  offered(bytes: Uint8Array): number;
  /** Everything was read. */
  readingEnded(): void;
  /** Nothing more can be read. */
  readingFailed(error: unknown): void;
}
