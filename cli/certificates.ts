// Copyright 2026 the Partisan peer-service authors. MIT license.

import { bits, der, integer, objectId, sequence, time, utf8 } from "./der.ts";

const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const ECDSA_WITH_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));
const encoder = new TextEncoder();

/** A certificate and its private key, in PEM. */
export interface KeyedCertificate {
  /** The certificate. */
  readonly cert: string;
  /** Its private key, PKCS #8. */
  readonly key: string;
}

/** An authority that can issue further certificates. */
export interface CertificateAuthority extends KeyedCertificate {
  /** Common name of the authority. */
  readonly name: string;
}

/** Validity of a certificate. */
export interface Validity {
  /** From when on. */
  readonly from: Date;
  /** Until when. */
  readonly to: Date;
}

/** Makes an authority of one's own, with a new key on P-256. */
export async function makeAuthority(name: string, validity: Validity): Promise<CertificateAuthority> {
  const keys = await generate();
  const extensions = [
    extension("2.5.29.19", sequence(der(0x01, Uint8Array.of(0xff))), true),
    extension("2.5.29.15", bits(Uint8Array.of(0b0000_0110), 1), true),
    ...await keyIdentifiers(keys.publicKey, keys.publicKey),
  ];
  const cert = await issue({ issuer: name, subject: name, validity, extensions, keys, signer: keys.privateKey });
  return { name, cert, key: await exportKey(keys) };
}

/**
 * Makes a certificate of an authority for a node, good for both ends of a connection, with a new key on P-256.
 *
 * @param names Names of the node; those with a scheme, as in `spiffe://here/a`, become URI names, the others DNS names.
 */
export async function makeCertificate(
  authority: CertificateAuthority,
  names: readonly string[],
  validity: Validity,
): Promise<KeyedCertificate> {
  const keys = await generate();
  const signer = await importKey(authority.key);
  const general = names.map((name) => der(/^[a-z][a-z0-9+.-]*:/i.test(name) ? 0x86 : 0x82, encoder.encode(name)));
  const extensions = [
    extension("2.5.29.19", sequence(), true),
    extension("2.5.29.15", bits(Uint8Array.of(0b1000_0000), 7), true),
    extension("2.5.29.37", sequence(objectId("1.3.6.1.5.5.7.3.1"), objectId("1.3.6.1.5.5.7.3.2"))),
    extension("2.5.29.17", sequence(...general)),
    ...await keyIdentifiers(keys.publicKey, await publicKeyOf(authority.key)),
  ];
  const subject = names[0] ?? "node";
  const cert = await issue({ issuer: authority.name, subject, validity, extensions, keys, signer });
  return { cert, key: await exportKey(keys) };
}

interface Issue {
  readonly issuer: string;
  readonly subject: string;
  readonly validity: Validity;
  readonly extensions: readonly Uint8Array[];
  readonly keys: CryptoKeyPair;
  readonly signer: CryptoKey;
}

/** Writes and signs a certificate (RFC 5280, section 4.1). */
async function issue({ issuer, subject, validity, extensions, keys, signer }: Issue): Promise<string> {
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = 0x40 | (serial[0]! & 0x3f);
  const body = sequence(
    der(0xa0, integer(Uint8Array.of(2))),
    integer(serial),
    ECDSA_WITH_SHA256,
    commonName(issuer),
    sequence(time(validity.from), time(validity.to)),
    commonName(subject),
    new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey)),
    der(0xa3, sequence(...extensions)),
  );
  const raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signer, body));
  const signature = sequence(integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  return pem("CERTIFICATE", sequence(body, ECDSA_WITH_SHA256, bits(signature)));
}

/** Names the key of a certificate, and that of its issuer (RFC 5280, sections 4.2.1.1 and 4.2.1.2), without which strict verifiers take none. */
async function keyIdentifiers(own: CryptoKey, issuer: CryptoKey): Promise<Uint8Array[]> {
  const hash = async (key: CryptoKey) =>
    new Uint8Array(await crypto.subtle.digest("SHA-1", await crypto.subtle.exportKey("raw", key)));
  return [
    extension("2.5.29.14", der(0x04, await hash(own))),
    extension("2.5.29.35", sequence(der(0x80, await hash(issuer)))),
  ];
}

/** The public half of a private key. */
async function publicKeyOf(text: string): Promise<CryptoKey> {
  const { d: _, key_ops: __, ...half } = await crypto.subtle.exportKey("jwk", await importKey(text, true));
  return await crypto.subtle.importKey("jwk", half, ECDSA, true, ["verify"]);
}

function commonName(name: string): Uint8Array<ArrayBuffer> {
  return sequence(der(0x31, sequence(objectId("2.5.4.3"), utf8(name))));
}

function extension(id: string, value: Uint8Array, critical = false): Uint8Array<ArrayBuffer> {
  const flag = critical ? [der(0x01, Uint8Array.of(0xff))] : [];
  return sequence(objectId(id), ...flag, der(0x04, value));
}

async function generate(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]) as CryptoKeyPair;
}

async function exportKey({ privateKey }: CryptoKeyPair): Promise<string> {
  return pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)));
}

function importKey(text: string, extractable = false): Promise<CryptoKey> {
  const base64 = text.replace(/-----[^-]+-----|\s/g, "");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return crypto.subtle.importKey("pkcs8", bytes, ECDSA, extractable, ["sign"]);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
