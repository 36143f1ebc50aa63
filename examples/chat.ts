// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A chat with presence, over any number of nodes: each serves a page, and its WebSockets are the ears of its users. Each message of a user is told to
 * every node once; who is there is known everywhere, and the users of a node that dies are gone with it.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";
import { Groups, Presence } from "@partisan/peer-service/groups";
import { flag, startNode } from "./node.ts";

const ROOM = "room";

/** Event that a user is told of. */
export type ChatEvent = { type: "line"; user: string; text: string } | { type: "users"; users: string[] };

/** One node's part in the chat. */
export class Chat {
  readonly #groups: Groups;
  readonly #presence: Presence;
  readonly #ears = new Set<(event: ChatEvent) => void>();

  constructor(node: PeerServiceManager) {
    this.#groups = new Groups(node);
    this.#presence = new Presence(node);
    this.#groups.join(ROOM, { handler: (event: ChatEvent) => this.#tell(event) });
    this.#follow(this.#presence.watch(ROOM));
  }

  get users(): string[] {
    return [...this.#presence.list(ROOM).keys()];
  }

  /** A user comes. @returns Says something, and goes. */
  enter(user: string, hear: (event: ChatEvent) => void): { say(text: string): void; leave(): void } {
    const presence = this.#presence.track(ROOM, user, null);
    this.#ears.add(hear);
    hear({ type: "users", users: this.users });
    return {
      say: (text) => this.#groups.publish(ROOM, { type: "line", user, text: text.slice(0, 1_000) }),
      leave: () => {
        this.#ears.delete(hear);
        presence[Symbol.dispose]();
      },
    };
  }

  async #follow(changes: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of changes) this.#tell({ type: "users", users: this.users });
  }

  #tell(event: ChatEvent): void {
    for (const hear of this.#ears) hear(event);
  }
}

/** Serves the page, and takes its WebSockets. */
export async function answer(chat: Chat, request: Request): Promise<Response> {
  const user = new URL(request.url).searchParams.get("user")?.slice(0, 50);
  if (request.headers.get("upgrade") !== "websocket" || user === undefined) {
    const { body } = await fetch(new URL("chat.html", import.meta.url));
    return new Response(body, { headers: { "content-type": "text/html" } });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => {
    const visit = chat.enter(user, (event) => socket.readyState === 1 && socket.send(JSON.stringify(event)));
    socket.onmessage = ({ data }) => visit.say(`${data}`);
    socket.onclose = () => visit.leave();
  };
  return response;
}

if (import.meta.main) {
  const chat = new Chat(await startNode());
  const port = Number(flag("http") ?? 8_000);
  Deno.serve({ hostname: "127.0.0.1", port }, (request) => answer(chat, request));
}
