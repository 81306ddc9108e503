import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import protobuf from "protobufjs";

/** What a call ended with. `retryAfterSeconds` is that of RetryInfo, when it came. */
export interface GrpcAnswer {
  readonly code: string;
  readonly details: string;
  readonly response: Buffer | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Bytes of the trailers' values. */
  readonly trailerBytes: number;
}

export interface GrpcClient {
  send(path: string, message: Buffer, metadata?: Readonly<Record<string, string>>, timeoutMillis?: number): Promise<GrpcAnswer>;
  close(): void;
}

export const EXPORT_PATHS = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
} as const;

/** google/rpc/status.proto and error_details.proto, read by an independent library. */
const RPC = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
`).root;

const COMPRESSION = { identity: 0, deflate: 1, gzip: 2 } as const;

/** A client of the gRPC library that sends and receives bare bytes. `target` is host:port, or a URL. */
export function connectGrpc(target: string, compression: keyof typeof COMPRESSION = "identity"): GrpcClient {
  const client = new Client(target.replace("http://", ""), credentials.createInsecure(), {
    "grpc.default_compression_algorithm": COMPRESSION[compression],
    "grpc.max_receive_message_length": 4 * 1024 * 1024,
    // Tests in one process must not share connections.
    "grpc.use_local_subchannel_pool": 1,
  });
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    send(path, message, headers = {}, timeoutMillis = 20_000) {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      return new Promise((resolve) => {
        const done = (error: ServiceError | null, response?: Buffer): void => resolve(answerOf(error, response));
        client.makeUnaryRequest(path, same, same, message, metadata, { deadline: Date.now() + timeoutMillis }, done);
      });
    },
    close: () => client.close(),
  };
}

function answerOf(error: ServiceError | null, response: Buffer | undefined): GrpcAnswer {
  const detail = error?.metadata.get("grpc-status-details-bin")[0];
  const values = Object.values(error?.metadata.getMap() ?? {});
  return {
    code: status[error?.code ?? status.OK]!,
    details: error?.details ?? "",
    response,
    retryAfterSeconds: Buffer.isBuffer(detail) ? retryDelay(detail, error!) : undefined,
    trailerBytes: Buffer.byteLength(encodeURI(error?.details ?? "")) + values.reduce<number>((sum, value) => sum + base64Size(value), 0),
  };
}

const base64Size = (value: string | Buffer): number => (Buffer.isBuffer(value) ? Math.ceil(value.length / 3) * 4 : value.length);

/** Seconds in the one detail; throws when the status in the details is not the one of the call. */
function retryDelay(bytes: Buffer, error: ServiceError): number {
  const { code, message, details } = RPC.lookupType("Status").decode(bytes).toJSON() as {
    code: number;
    message: string;
    details: { typeUrl: string; value: string }[];
  };
  if (code !== error.code || message !== error.details || details.length !== 1) throw new Error("the details tell of another status");
  if (details[0]!.typeUrl !== "type.googleapis.com/google.rpc.RetryInfo") throw new Error(`unknown detail ${details[0]!.typeUrl}`);
  const retry = RPC.lookupType("RetryInfo").decode(Buffer.from(details[0]!.value, "base64")).toJSON();
  return Number((retry as { retryDelay: { seconds: string } }).retryDelay.seconds);
}
