// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Maximum depth of nested arrays and maps, both ways: far beyond any sensible message, well within the stack, and where a value
 * that contains itself ends.
 */
export const DEPTH_MAX = 512;
