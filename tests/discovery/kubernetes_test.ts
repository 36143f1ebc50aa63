// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ApiError, KubernetesApi } from "../../discovery/kubernetes_api.ts";
import { kubernetes } from "../../discovery/mod.ts";

const never = new AbortController().signal;

interface Slice {
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly { readonly addresses: readonly string[]; readonly conditions?: unknown }[];
}

const PORTS = [{ name: "http", port: 80 }, { name: "partisan", port: 9_090 }];

/** An API server that speaks the documents of Kubernetes, over HTTP on loopback. */
class ApiServer implements AsyncDisposable {
  slices: Slice[] = [];
  pods: unknown[] = [];
  version = 10;
  /** Requests so far: path and query. */
  readonly requests: URL[] = [];
  /** The token that is asked for. */
  token: string | undefined;
  /** Answers the next watches with "410 Gone", as status or as an event. */
  goneBy: "status" | "event" | null = null;
  readonly #watches = new Set<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#serve(request),
    );
  }

  get api(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  get watches(): URL[] {
    return this.requests.filter(({ searchParams }) => searchParams.has("watch"));
  }

  /** Changes something, and tells those who watch. */
  tell(type = "MODIFIED"): void {
    this.version++;
    this.#send({ type, object: { metadata: { resourceVersion: `${this.version}` } } });
  }

  /** Ends all watches, as the server does after a while. */
  endWatches(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endWatches();
    await this.#server.shutdown();
  }

  #send(event: unknown): void {
    const line = new TextEncoder().encode(`${JSON.stringify(event)}\n`);
    // In two pieces, as a network may deliver it.
    for (const watch of this.#watches) {
      watch.enqueue(line.slice(0, 7));
      watch.enqueue(line.slice(7));
    }
  }

  #serve(request: Request): Response {
    const url = new URL(request.url);
    this.requests.push(url);
    if (this.token !== undefined && request.headers.get("authorization") !== `Bearer ${this.token}`) {
      return Response.json({ kind: "Status", message: "Unauthorized", code: 401 }, { status: 401 });
    }
    if (url.searchParams.has("watch")) return this.#watch();
    const items = url.pathname.endsWith("/pods") ? this.pods : this.slices;
    const from = Number(url.searchParams.get("continue") ?? "0");
    const page = items.slice(from, from + 2);
    const next = from + 2 < items.length ? `${from + 2}` : "";
    return Response.json({ metadata: { resourceVersion: `${this.version}`, continue: next }, items: page });
  }

  #watch(): Response {
    if (this.goneBy === "status") {
      this.goneBy = null;
      return Response.json({ kind: "Status", message: "too old resource version", code: 410 }, { status: 410 });
    }
    let own: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        own = controller;
        this.#watches.add(controller);
      },
      cancel: () => {
        if (own !== undefined) this.#watches.delete(own);
      },
    });
    if (this.goneBy === "event") {
      this.goneBy = null;
      queueMicrotask(() => this.#send({ type: "ERROR", object: { code: 410, message: "too old resource version" } }));
    }
    return new Response(body);
  }
}

Deno.test("kubernetes() reads all endpoints of a service, page by page, ready or not", async () => {
  await using server = new ApiServer();
  server.slices = [
    {
      ports: PORTS,
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: false } }, { addresses: ["10.0.0.2"] }],
    },
    { ports: PORTS, endpoints: [] },
    { ports: PORTS, endpoints: [{ addresses: ["fd00::3"] }] },
  ];
  const { api } = server;
  const source = kubernetes({ api, namespace: "prod", service: "chat", port: "partisan" });
  const expected = ["10.0.0.1", "10.0.0.2", "fd00::3"].map((hostname) => ({ hostname, port: 9_090 }));
  assertEquals(await source.lookup(never), expected);
  assertEquals(server.requests[0]?.pathname, "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices");
  assertEquals(server.requests[0]?.searchParams.get("labelSelector"), "kubernetes.io/service-name=chat");
  assertEquals(server.requests.length, 2);
  const numbered = await kubernetes({ api, service: "chat", port: 7 }).lookup(never);
  assertEquals(numbered.map(({ port }) => port), [7, 7, 7]);
  assertEquals(await kubernetes({ api, service: "chat", port: "none" }).lookup(never), []);
});

Deno.test("kubernetes() with a selector reads the pods that run and are not about to go", async () => {
  await using server = new ApiServer();
  const containers = [{ ports: [{ name: "partisan", containerPort: 9_090 }] }];
  server.pods = [
    { spec: { containers }, status: { podIP: "10.0.0.1", phase: "Running" } },
    { spec: { containers }, status: { phase: "Pending" } },
    { spec: { containers }, status: { podIP: "10.0.0.3", phase: "Failed" } },
    {
      metadata: { deletionTimestamp: "2026-11-28" },
      spec: { containers },
      status: { podIP: "10.0.0.4", phase: "Running" },
    },
  ];
  const source = kubernetes({ api: server.api, selector: "app=chat" });
  assertEquals(await source.lookup(never), [{ hostname: "10.0.0.1", port: 9_090 }]);
  assertEquals(server.requests[0]?.pathname, "/api/v1/namespaces/default/pods");
});

Deno.test("kubernetes() reads its token anew for each request, and an answer of 401 is a failure, not an empty list", async () => {
  await using server = new ApiServer();
  const account = await Deno.makeTempDir();
  await Deno.writeTextFile(`${account}/token`, "first\n");
  await Deno.writeTextFile(`${account}/namespace`, "blue");
  server.token = "first";
  const api = new KubernetesApi({ api: server.api, account });
  await api.get("api/v1", "pods", {}, never);
  server.token = "second";
  await assertRejects(() => api.get("api/v1", "pods", {}, never), ApiError, "status 401");
  await Deno.writeTextFile(`${account}/token`, "second");
  await api.get("api/v1", "pods", {}, never);
  assertEquals(server.requests[0]?.pathname, "/api/v1/namespaces/blue/pods");
  await Deno.remove(account, { recursive: true });
});

for (const goneBy of ["status", "event"] as const) {
  Deno.test(`kubernetes() watches on from where a watch ended, and begins anew where that is gone (${goneBy})`, async () => {
    await using server = new ApiServer();
    const end = new AbortController();
    const source = kubernetes({ api: server.api, service: "chat" });
    let told = 0;
    let heard = Promise.withResolvers<void>();
    source.watch?.(() => {
      told++;
      heard.resolve();
    }, end.signal);
    const next = async (act: () => void) => {
      heard = Promise.withResolvers();
      act();
      await heard.promise;
    };
    const watchOpen = async (count: number) => {
      while (server.watches.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await watchOpen(1);
    assertEquals(told, 1);
    await next(() => server.tell());
    assertEquals(server.watches[0]?.searchParams.get("resourceVersion"), "10");
    server.endWatches();
    await watchOpen(2);
    assertEquals(server.watches[1]?.searchParams.get("resourceVersion"), "11");
    server.goneBy = goneBy;
    server.version = 50;
    // The list that follows is news.
    await next(() => server.endWatches());
    await watchOpen(4);
    assertEquals(server.watches[3]?.searchParams.get("resourceVersion"), "50");
    end.abort();
  });
}

Deno.test("kubernetes() says what is missing", async () => {
  assertThrows(() => kubernetes({}), TypeError, '"service"');
  assertThrows(() => kubernetes({ service: "a", selector: "b" }), TypeError, "either");
  await assertRejects(() => kubernetes({ service: "a" }).lookup(never), TypeError, 'the option "api"');
});
