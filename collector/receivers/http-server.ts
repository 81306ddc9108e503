import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { hostAndPort } from "../base/address.ts";
import { type BindOptions, bind } from "./bind.ts";

export interface ListenOptions extends BindOptions {
  readonly fetch: Parameters<typeof createAdaptorServer>[0]["fetch"];
}

export interface Listening {
  readonly port: number;
  /** `http://host:port` as really bound. */
  readonly url: string;
  /** Takes no new connection, lets requests under way finish within the grace time, then cuts what is left. */
  close(graceMillis: number): Promise<void>;
}

/** Longer than load balancers and clients keep idle connections, so that they end them and no request meets a closing socket. */
const KEEP_ALIVE_MS = 70_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const CHECK_TIMEOUTS_EVERY_MS = 2_000;
const MAX_CONNECTIONS = 12_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_HEADERS = 200;

/** Serves a Hono app on one address. Rejects with SetupError when the address cannot be had. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { host } = options;
  const server = createAdaptorServer({
    fetch: options.fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
  }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  // Node would send 100 Continue at once; the receiver does it after it has looked at the headers.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  await bind(server, options);
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://${hostAndPort(host, port)}`, close: (graceMillis) => close(server, graceMillis) };
}

function close(server: Server, graceMillis: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMillis);
    // Answers still to come say Connection: close, so no client starts another request on its connection.
    server.prependListener("request", (_, response) => response.setHeader("Connection", "close"));
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
