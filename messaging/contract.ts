// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageContext } from "./registry.ts";

/** The default contract of a node: any name, any message. Replies have to be looked at. */
// deno-lint-ignore no-explicit-any -- a node of any contract must fit where one of no contract is expected
export type AnyHandlers = any;

/**
 * The names of the handlers of a contract.
 *
 * @typeParam Handlers The contract: an interface of functions.
 */
export type HandlerName<Handlers> = keyof Handlers & string;

/**
 * Message to a handler of a contract.
 *
 * @typeParam Handlers The contract.
 * @typeParam Name The handler.
 */
export type MessageOf<Handlers, Name extends HandlerName<Handlers>> = unknown extends Handlers
  // deno-lint-ignore no-explicit-any -- the sender decides what a message is; a handler states what it expects
  ? any
  : Handlers[Name] extends (message: infer Message, ...rest: never[]) => unknown ? Message
  : never;

/**
 * Reply of a handler of a contract to a call. One that returns nothing replies `null`; one that returns an `AsyncIterable`
 * replies to no call, but to `callStream()`.
 *
 * @typeParam Handlers The contract.
 * @typeParam Name The handler.
 */
export type ReplyOf<Handlers, Name extends HandlerName<Handlers>> = Handlers[Name] extends
  (...given: never[]) => infer Result ? unknown extends Awaited<Result> ? Awaited<Result>
  : Awaited<Result> extends void ? null
  : Awaited<Result> extends AsyncIterable<unknown> ? never
  : Awaited<Result>
  : never;

/**
 * Values that a handler of a contract yields, one after the other, to a node that reads it by `callStream()`. `never` where it
 * does not return an `AsyncIterable`.
 *
 * @typeParam Handlers The contract.
 * @typeParam Name The handler.
 */
export type PartOf<Handlers, Name extends HandlerName<Handlers>> = unknown extends Handlers ? unknown
  : Handlers[Name] extends (...given: never[]) => infer Result
    ? Awaited<Result> extends AsyncIterable<infer Part> ? Part
    : never
  : never;

/**
 * A handler that keeps a contract. Where the contract expects nothing, it may return anything. It is called without a `this`.
 *
 * @typeParam Handlers The contract.
 * @typeParam Name The handler.
 * @typeParam Message What it is given: the message, or what its schema makes of that.
 */
export type HandlerOf<Handlers, Name extends HandlerName<Handlers>, Message = MessageOf<Handlers, Name>> = (
  this: void,
  message: Message,
  context: MessageContext,
) => Handlers[Name] extends (...given: never[]) => infer Result
  ? [Awaited<Result>] extends [void] ? unknown : Awaited<Result> | Promise<Awaited<Result>>
  : never;

/**
 * A handler of ranges that keeps a contract; see `register()`. There is none for messages of a contract that are no bytes.
 *
 * @typeParam Handlers The contract.
 * @typeParam Name The handler.
 */
export type RangeHandlerOf<Handlers, Name extends HandlerName<Handlers>> = Uint8Array extends MessageOf<Handlers, Name>
  ? (
    this: void,
    buffer: Uint8Array,
    start: number,
    end: number,
    context: MessageContext,
  ) => ReturnType<HandlerOf<Handlers, Name>>
  : never;
