import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { EXPORT_PATHS } from "./grpc-client.ts";

/** A call made of bare HTTP/2, for what no gRPC library would send. */
export interface RawCall {
  readonly stream: ClientHttp2Stream;
  /** The status, as soon as it comes; `undefined` when the stream ends without one. */
  readonly status: Promise<number | undefined>;
}

export interface RawConnection {
  readonly session: ClientHttp2Session;
  call(headers?: Readonly<Record<string, string>>, path?: string): RawCall;
  close(): void;
}

/** A message in gRPC's framing; `declaredSize` may lie about what follows. */
export function framed(message: Buffer, options: { readonly compressed?: boolean; readonly declaredSize?: number } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = options.compressed === true ? 1 : 0;
  prefix.writeUInt32BE(options.declaredSize ?? message.length, 1);
  return Buffer.concat([prefix, message]);
}

export function connectRaw(url: string): RawConnection {
  const session = connect(url);
  session.on("error", () => {});
  return {
    session,
    call(headers = {}, path = EXPORT_PATHS.traces) {
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers });
      const status = new Promise<number | undefined>((resolve) => {
        const note = (fields: Readonly<Record<string, unknown>>): void => {
          if (fields["grpc-status"] !== undefined) resolve(Number(fields["grpc-status"]));
        };
        stream.on("response", note).on("trailers", note);
        stream.on("error", () => {}).on("close", () => resolve(undefined));
      });
      stream.resume();
      return { stream, status };
    },
    close: () => session.destroy(),
  };
}
