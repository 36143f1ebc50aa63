// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A place that an accepted stream has while its handshake is not finished. */
interface Place {
  readonly hostname: string;
  /** When it was taken. */
  readonly at: number;
  readonly giveUp: () => void;
}

/** Of all places, one in so many is kept for hosts of members. */
const KEPT_SHARE = 8;

/** What {@linkcode HalfOpen} has to know. */
export interface HalfOpenOptions {
  /** Most places. */
  readonly max: number;
  /** Milliseconds for which a stream keeps its place against others of its own host. */
  readonly patience: number;
  /** Whether members are known to be at a host. */
  isMemberHost(hostname: string): boolean;
  /** Milliseconds on the local clock. */
  now(): number;
}

/**
 * The streams that have not finished their handshake, by the host that they come from. When there is no room, the host that has most of them
 * gives up its oldest one: a stranger that opens thousands gets in its own way, and in nobody else's. Some places are kept for hosts of members.
 */
export class HalfOpen {
  readonly #options: HalfOpenOptions;
  /** The places of each host, the oldest first. */
  readonly #hosts = new Map<string, Set<Place>>();
  #size = 0;

  constructor(options: HalfOpenOptions) {
    this.#options = options;
  }

  /** How many places are taken. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes a place for a stream.
   *
   * @param giveUp Called when it has to make room for another one.
   * @returns Gives the place back; `null` when there is none.
   */
  enter(hostname: string, giveUp: () => void): Disposable | null {
    const { max, isMemberHost, now } = this.#options;
    const isFull = this.#size >= max - Math.floor(max / KEPT_SHARE);
    const hasKeptPlace = isFull && this.#size < max && isMemberHost(hostname);
    if (isFull && !hasKeptPlace && !this.#makeRoomFor(hostname)) return null;
    const place: Place = { hostname, at: now(), giveUp };
    const places = this.#hosts.get(hostname) ?? new Set();
    this.#hosts.set(hostname, places.add(place));
    this.#size++;
    return { [Symbol.dispose]: () => this.#leave(place) };
  }

  /** Has the host with most places give up its oldest one, unless that would be no fairer. */
  #makeRoomFor(hostname: string): boolean {
    let greediest: Set<Place> | undefined;
    for (const places of this.#hosts.values()) if (places.size > (greediest?.size ?? 0)) greediest = places;
    const own = this.#hosts.get(hostname);
    if (own !== undefined && own.size === greediest?.size) greediest = own;
    const [oldest] = greediest ?? [];
    if (oldest === undefined) return false;
    const { patience, now } = this.#options;
    // Of its own host it takes the place of one that is silent, not of one that is just about to be done.
    const isFairer = greediest === own ? now() - oldest.at >= patience : (greediest?.size ?? 0) > (own?.size ?? 0) + 1;
    if (!isFairer) return false;
    this.#leave(oldest);
    oldest.giveUp();
    return true;
  }

  #leave(place: Place): void {
    const places = this.#hosts.get(place.hostname);
    if (places === undefined || !places.delete(place)) return;
    if (places.size === 0) this.#hosts.delete(place.hostname);
    this.#size--;
  }
}
