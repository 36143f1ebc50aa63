// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Transport } from "../../transport/transport.ts";
import { ReservedPorts } from "../reserved_ports.ts";
import type { TransportSubject } from "./transport_suite.ts";

/** Makes the subject of the suite of transports of one over real sockets. */
export function transportSubject(transport: Transport & Required<Pick<Transport, "drained">>): TransportSubject {
  const ports = new ReservedPorts();
  return {
    near: transport,
    far: transport,
    address: { hostname: "127.0.0.1", port: ports.take() },
    async drive(work) {
      try {
        await work;
      } finally {
        await transport.drained();
        ports[Symbol.dispose]();
      }
    },
  };
}
