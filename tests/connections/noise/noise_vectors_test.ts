// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SealError } from "../../../connections/noise/cipher_state.ts";
import { HandshakeState, type PatternName } from "../../../connections/noise/handshake_state.ts";
import { keyPair } from "../../../connections/noise/primitives.ts";
import { flipBit } from "../../flip_bit.ts";
import { firstOf, present } from "../../values.ts";
import { noiseVectors } from "./noise_vectors.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Vector = typeof noiseVectors[number];

function sides(vector: Vector): [HandshakeState, HandshakeState] {
  const pattern = vector.protocol.split("_")[1] as PatternName;
  const side = (initiator: boolean) => {
    const { prologue, psks, static: own, ephemeral } = initiator ? vector.initiator : vector.responder;
    const preSharedKey = psks[0] === undefined ? undefined : bytes(psks[0]);
    return new HandshakeState({
      pattern,
      initiator,
      prologue: bytes(prologue),
      staticKeys: keyPair(bytes(own)),
      ephemeralKeys: keyPair(bytes(ephemeral)),
      preSharedKey,
    });
  };
  return [side(true), side(false)];
}

/** Exchanges the messages of the handshake, and checks each. */
function shake(vector: Vector): [HandshakeState, HandshakeState] {
  const [initiator, responder] = sides(vector);
  for (const [turn, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
    const [writer, reader] = turn % 2 === 0 ? [initiator, responder] : [responder, initiator];
    assertEquals(hex(writer.write(bytes(payload))), ciphertext, `message ${turn}`);
    assertEquals(hex(reader.read(bytes(ciphertext))), payload, `message ${turn}`);
  }
  return [initiator, responder];
}

for (const vector of noiseVectors) {
  Deno.test(`${vector.protocol} writes and reads what ${vector.source} says`, () => {
    const [initiator, responder] = shake(vector);
    assert(initiator.isOver && responder.isOver);
    for (const side of [initiator, responder]) {
      if (vector.handshakeHash !== null) assertEquals(hex(side.handshakeHash), vector.handshakeHash);
    }
    assertEquals(initiator.remoteStatic, keyPair(bytes(vector.responder.static)).publicKey);
    assertEquals(responder.remoteStatic, keyPair(bytes(vector.initiator.static)).publicKey);
    const [dialer, acceptor] = [initiator.split(), responder.split()];
    for (const [turn, { payload, ciphertext }] of vector.messages.entries()) {
      if (turn < 3) continue;
      const [from, to] = turn % 2 === 0 ? [dialer, acceptor] : [acceptor, dialer];
      const plain = bytes(payload);
      const sealed = new Uint8Array(plain.length + 16);
      assertEquals(from.outbound.sealInto(new Uint8Array(), plain, sealed, 0), sealed.length);
      assertEquals(hex(sealed), ciphertext, `message ${turn}`);
      assertEquals(hex(to.inbound.open(new Uint8Array(), sealed)), payload, `message ${turn}`);
    }
  });
}

Deno.test("HandshakeState reads no message in which a single bit was changed, and reads the right one afterwards", () => {
  const vector = present(noiseVectors.find(({ protocol }) => protocol.includes("psk3")));
  const [initiator, responder] = sides(vector);
  const empty = new Uint8Array();
  responder.read(initiator.write(empty));
  const [second, third] = [() => responder.write(empty), () => initiator.write(empty)];
  for (const [write, reader] of [[second, initiator], [third, responder]] as const) {
    const message = write();
    for (let at = 0; at < message.length; at++) {
      const changed = message.slice();
      flipBit(changed, at, at % 8);
      assertThrows(() => reader.read(changed), SealError);
      assertThrows(() => reader.read(message.subarray(0, at)), SealError);
    }
    assertEquals(reader.read(message), empty);
  }
  assertEquals(initiator.handshakeHash, responder.handshakeHash);
});

Deno.test("HandshakeState lets the responder try several pre-shared keys, of which one is right", () => {
  const vector = present(noiseVectors.find(({ protocol }) => protocol.includes("psk3")));
  const [initiator, responder] = sides(vector);
  const payload = Uint8Array.of(1, 2, 3);
  responder.read(initiator.write(payload));
  initiator.read(responder.write(payload));
  const message = initiator.write(payload);
  for (let seed = 0; seed < 3; seed++) {
    assertThrows(() => responder.read(message, new Uint8Array(32).fill(seed)), SealError);
  }
  assertEquals(responder.read(message, bytes(firstOf(vector.responder.psks))), payload);
});

Deno.test("HandshakeState refuses a public key with which every node would agree on zeros", () => {
  const [initiator, responder] = sides(firstOf(noiseVectors));
  const empty = new Uint8Array();
  responder.read(initiator.write(empty));
  const message = responder.write(empty);
  message.fill(0, 0, 32);
  assertThrows(() => initiator.read(message), SealError, "Cannot agree on a key");
});
