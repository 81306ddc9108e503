import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { type Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import { hostAndPort } from "../base/address.ts";
import { type BindOptions, bind } from "./bind.ts";
import { acceptHttp2 } from "./first-bytes.ts";
import type { Listening } from "./http-server.ts";

/** Answers stay far below what an OTLP client reads (otlp-rules G4). */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Calls of one connection that may be under way; a client holds further ones back by itself. */
const MAX_CALLS_PER_CONNECTION = 100;
const MAX_CONNECTIONS = 12_000;
/** A silent connection is asked whether it still lives, so that vanished clients do not hold sockets. */
const PING_AFTER_MS = 60_000;
const PING_ANSWER_MS = 20_000;
/** Clients connect anew now and then (give or take a tenth), so that collectors that were added behind a balancer get their share. */
const MAX_CONNECTION_AGE_MS = 30 * 60_000;
const MAX_CONNECTION_AGE_GRACE_MS = 30_000;

/** The settings of a gRPC server that takes messages of up to `maxMessageBytes`, before and after inflating. */
export const grpcServerOptions = (maxMessageBytes: number): ServerOptions => ({
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": MAX_ANSWER_BYTES,
  "grpc.max_concurrent_streams": MAX_CALLS_PER_CONNECTION,
  "grpc.keepalive_time_ms": PING_AFTER_MS,
  "grpc.keepalive_timeout_ms": PING_ANSWER_MS,
  "grpc.max_connection_age_ms": MAX_CONNECTION_AGE_MS,
  "grpc.max_connection_age_grace_ms": MAX_CONNECTION_AGE_GRACE_MS,
  "grpc.enable_channelz": 0,
});

/**
 * Serves gRPC on one address, without TLS. The listening socket is ours: grpc-js's own gives up the reason when an address
 * cannot be had, and takes any number of connections. Rejects with SetupError when the address cannot be had.
 */
export async function listenGrpc(grpc: Server, options: BindOptions): Promise<Listening> {
  const connections = new Set<Socket>();
  /** Those that have not said anything yet: grpc-js knows nothing of them. */
  const silent = new Set<Socket>();
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const server = createServer({ noDelay: true }, (socket) => {
    for (const set of [connections, silent]) {
      set.add(socket);
      socket.on("close", () => set.delete(socket));
    }
    socket.on("error", () => {});
    acceptHttp2(socket, () => {
      silent.delete(socket);
      injector.injectConnection(socket);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await bind(server, options);
  const { port } = server.address() as AddressInfo;

  async function close(graceMillis: number): Promise<void> {
    const timer = setTimeout(() => {
      grpc.forceShutdown();
      for (const socket of connections) socket.destroy();
    }, graceMillis);
    for (const socket of silent) socket.destroy();
    await Promise.all([new Promise((resolve) => server.close(resolve)), new Promise((resolve) => grpc.tryShutdown(resolve))]);
    clearTimeout(timer);
  }
  return { port, url: `http://${hostAndPort(options.host, port)}`, close };
}
