// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Who is in the cluster.
 *
 * @module
 */

export {};
