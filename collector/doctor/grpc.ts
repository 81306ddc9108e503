import { once } from "node:events";
import { connect } from "node:net";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { hostAndPort } from "../base/address.ts";

const EXPORT_TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** What a receiver answers to somebody without a key, besides the empty answer. */
const FROM_A_RECEIVER: ReadonlySet<number> = new Set([status.OK, status.UNAUTHENTICATED, status.PERMISSION_DENIED]);
/** With it, a receiver says when to come back (otlp-rules G7); nothing that merely fails to speak gRPC has it. */
const RETRY_DETAILS = "grpc-status-details-bin";

/** Who listens: sends an empty Export request, which stores nothing. */
export async function askGrpc(host: string, port: number, timeoutMillis: number): Promise<"receiver" | "nobody" | "other"> {
  if (await isRefused(host, port, timeoutMillis)) return "nobody";
  const options = { "grpc.enable_http_proxy": 0, "grpc.use_local_subchannel_pool": 1 };
  const client = new Client(hostAndPort(host, port), credentials.createInsecure(), options);
  const bytes = (message: Buffer): Buffer => message;
  try {
    const error = await new Promise<ServiceError | null>((resolve) => {
      const deadline = Date.now() + timeoutMillis;
      client.makeUnaryRequest(EXPORT_TRACES, bytes, bytes, Buffer.alloc(0), new Metadata(), { deadline }, (failure) => resolve(failure));
    });
    const isReceiver = FROM_A_RECEIVER.has(error?.code ?? status.OK) || (error?.metadata.get(RETRY_DETAILS).length ?? 0) > 0;
    return isReceiver ? "receiver" : "other";
  } finally {
    client.close();
  }
}

async function isRefused(host: string, port: number, timeoutMillis: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMillis) });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
