import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { hostAndPort } from "../base/address.ts";
import { type BindOptions, bind } from "./bind.ts";

export interface ListenOptions extends BindOptions {
  readonly fetch: Parameters<typeof createAdaptorServer>[0]["fetch"];
  readonly limits?: Partial<HttpLimits>;
}

export interface Listening {
  readonly port: number;
  /** `http://host:port` as really bound. */
  readonly url: string;
  /** Takes no new connection, lets requests under way finish within the grace time, then cuts what is left. */
  close(graceMillis: number): Promise<void>;
}

/** Bounds of every HTTP server. Times in milliseconds. */
export const HTTP_LIMITS = {
  /** Longer than load balancers and clients keep idle connections, so that they end them and no request meets a closing socket. */
  keepAliveMillis: 70_000,
  headersMillis: 10_000,
  requestMillis: 60_000,
  checkTimeoutsEveryMillis: 2_000,
  maxConnections: 12_000,
  maxHeaderBytes: 32 * 1024,
  maxHeaders: 200,
  maxUrlChars: 8 * 1024,
} as const;

export type HttpLimits = { readonly [K in keyof typeof HTTP_LIMITS]: number };

/** Serves a Hono app on one address. Rejects with SetupError when the address cannot be had. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { host } = options;
  const limits: HttpLimits = { ...HTTP_LIMITS, ...options.limits };
  const server = createAdaptorServer({
    fetch: (request, env) => excess(env.incoming, limits) ?? options.fetch(request, env),
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: limits.headersMillis,
      requestTimeout: limits.requestMillis,
      keepAliveTimeout: limits.keepAliveMillis,
      connectionsCheckingInterval: limits.checkTimeoutsEveryMillis,
      maxHeaderSize: limits.maxHeaderBytes,
    },
  }) as Server;
  server.maxConnections = limits.maxConnections;
  // One more than may be, so that a request with too many can be told from one with just enough.
  server.maxHeadersCount = limits.maxHeaders + 1;
  // Node would send 100 Continue at once; the receiver does it after it has looked at the headers.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  const open = trackOpen(server);
  await bind(server, options);
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://${hostAndPort(host, port)}`, close: (graceMillis) => close(server, open, graceMillis) };
}

/** What Node's parser lets through: it leaves out the headers beyond its count, and with them perhaps the key or the type. */
function excess({ rawHeaders, url = "" }: Pick<IncomingMessage, "rawHeaders" | "url">, limits: HttpLimits): Response | undefined {
  if (url.length > limits.maxUrlChars) return refusal(414, "the URL is too long\n");
  if (rawHeaders.length / 2 > limits.maxHeaders) return refusal(431, "the request has too many headers\n");
  return undefined;
}

const refusal = (status: number, text: string): Response => new Response(text, { status, headers: { "Content-Type": "text/plain" } });

/** What is open on a server: connections, and answers that are still to come. */
interface Open {
  readonly connections: ReadonlySet<Socket>;
  readonly answers: ReadonlySet<ServerResponse>;
}

function trackOpen(server: Server): Open {
  const connections = new Set<Socket>();
  const answers = new Set<ServerResponse>();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  server.prependListener("request", (_, response) => {
    answers.add(response);
    response.once("close", () => answers.delete(response));
  });
  return { connections, answers };
}

function close(server: Server, open: Open, graceMillis: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMillis);
    // Answers still to come say Connection: close, so no client starts another request on its connection, and the connection ends with the answer.
    const endWith = (response: ServerResponse): void => {
      if (!response.headersSent) response.setHeader("Connection", "close");
    };
    for (const response of open.answers) endWith(response);
    server.prependListener("request", (_, response) => endWith(response));
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
    // Node counts a connection that never said anything (a probe, a browser ahead of its user) as busy.
    for (const socket of open.connections) if (socket.bytesRead === 0) socket.destroy();
  });
}
