// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A simulated cluster to test applications with.
 *
 * @module
 */

export {};
