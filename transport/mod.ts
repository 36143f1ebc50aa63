// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * How bytes move between nodes.
 *
 * @module
 */

export {};
