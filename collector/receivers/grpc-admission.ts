import { constants, type ServerHttp2Stream } from "node:http2";
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import type { Authenticate, Authentication } from "../base/authenticate.ts";
import { readCredentials } from "../base/credentials.ts";
import { type Rejected, type Retryable, rejected, retryable } from "../base/outcome.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { createDeadlines } from "./deadlines.ts";
import { countBytes, type MessageBytes } from "./grpc-message-bytes.ts";
import { statusOf } from "./grpc-status.ts";

export interface AdmissionOptions {
  readonly authenticate: Authenticate;
  readonly budget: ByteBudget;
  /** From the headers to the answer, whatever happens. */
  readonly deadlineMillis: number;
  /** Told once of each call, when its stream is closed. */
  readonly onEnd: (call: EndedCall) => void;
}

export interface EndedCall {
  readonly path: string;
  /** The status that was sent; CANCELLED when the sender went away before. */
  readonly status: number;
  readonly seconds: number;
}

/** A call whose sender may go on. */
export interface AdmittedCall {
  readonly projectId: number;
  readonly bytes: MessageBytes;
}

export interface Admission {
  readonly interceptor: ServerInterceptor;
  /** The call that came with this metadata object. */
  callOf(metadata: Metadata): AdmittedCall;
}

const OVERLOAD = retryable("overload", "too many requests are being read; send the data again");
const LATE = retryable("deadline", "the request took too long; send it again");

/**
 * grpc-js calls it UNIMPLEMENTED where a call of ours holds no whole message, or more than one; to a sender that means that the collector takes no traces.
 * It is the data that is wrong (otlp-rules G7).
 */
const MISFRAMED = statusOf(
  rejected("undecodable", "the call must hold one message, as long as its length prefix says; send what the OTLP exporter made, unchanged"),
);

/**
 * What happens to a call before its message is handed on: its sender is authenticated before the message is read (the flow control
 * of HTTP/2 holds it back), its bytes count against the budget while they come in, and its time is bounded.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const deadlines = createDeadlines(options.deadlineMillis);
  const admitted = new WeakMap<Metadata, AdmittedCall>();

  const interceptor: ServerInterceptor = (method, call) => {
    const began = performance.now();
    const stream = streamOf(call);
    const end = (outcome: Rejected | Retryable): void => call.sendStatus(statusOf(outcome));
    const bytes = countBytes(stream, options.budget, () => end(OVERLOAD));
    const deadline = deadlines.start(() => end(LATE));
    stream.once("close", () => {
      deadline.stop();
      options.onEnd({ path: method.path, status: sentStatus(stream), seconds: (performance.now() - began) / 1000 });
    });
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: async (metadata, proceed) => {
            const permit = await authenticated(options.authenticate, metadata, call.getHost());
            if (permit.kind !== "granted") return end(permit);
            admitted.set(metadata, { projectId: permit.projectId, bytes });
            proceed(metadata);
          },
          // However the call ended, also when grpc-js ended it.
          onCancel: () => {
            bytes.abandon();
            endUpload(stream);
          },
        }),
      sendStatus: (ending, next) => next(ending.code === status.UNIMPLEMENTED ? MISFRAMED : ending),
    });
  };

  return {
    interceptor,
    callOf(metadata) {
      const call = admitted.get(metadata);
      if (call === undefined) throw new Error("a gRPC call reached its handler without having been admitted");
      return call;
    },
  };
}

/** The same keys as over HTTP, in the metadata; the authority stands for the Host header. */
function authenticated(authenticate: Authenticate, metadata: Metadata, host: string): Promise<Authentication> {
  const credentials = readCredentials((name) => {
    const value = name === "host" ? host : metadata.get(name)[0];
    return typeof value === "string" ? value : undefined;
  });
  return authenticate(credentials, "ingest");
}

/**
 * The HTTP/2 stream of a call. grpc-js does not publish it (its version is pinned, the contract tests hold this): without it a message
 * of any size within the limit would be in memory before anybody could say that there is no room for it.
 */
const streamOf = (call: object): ServerHttp2Stream => (call as { readonly stream: ServerHttp2Stream }).stream;

/** Ends a call whose answer is there before its message: the rest of the message would come in for nothing (RFC 9113, 8.1). */
function endUpload(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

function sentStatus({ sentTrailers, sentHeaders }: ServerHttp2Stream): number {
  return Number(sentTrailers?.["grpc-status"] ?? sentHeaders?.["grpc-status"] ?? status.CANCELLED);
}
