import { connect } from "node:net";

/** A TCP connection on which a test writes HTTP by hand. */
export interface RawConnection {
  /** Writes as it is. */
  send(...parts: readonly (string | Buffer)[]): void;
  /** Ends our side; the other may still answer. */
  finish(): void;
  destroy(): void;
  /** All bytes received so far, as latin1. */
  received(): string;
  /** Waits until what was received is enough; fails when the connection ends first. */
  until(enough: RegExp | ((text: string) => boolean)): Promise<string>;
  /** Resolves with everything received when the other side has closed the connection, cleanly or not. */
  readonly closed: Promise<string>;
}

/** Connects to a local port. */
export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let isClosed = false;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  const closed = Promise.withResolvers<string>();
  const onEnd = (): void => {
    isClosed = true;
    wake();
    closed.resolve(text);
    socket.destroy();
  };
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    wake();
  });
  socket
    .on("end", onEnd)
    .on("close", onEnd)
    .on("error", () => {});
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return {
    send(...parts) {
      for (const part of parts) socket.write(part);
    },
    finish: () => void socket.end(),
    destroy: () => void socket.destroy(),
    received: () => text,
    until: (enough) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const done = typeof enough === "function" ? enough(text) : enough.test(text);
          if (!done && !isClosed) return;
          waiting.delete(check);
          if (done) resolve(text);
          else reject(new Error(`the connection was closed after ${JSON.stringify(text.slice(0, 500))}`));
        };
        waiting.add(check);
        check();
      }),
    closed: closed.promise,
  };
}

/** Statuses in the order they came. */
export const statusesIn = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

export interface PostParts {
  readonly path?: string;
  readonly version?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer | string;
}

/** A POST of protobuf. Content-Length is that of the body unless a header says how the body ends. */
export function post({ path = "/v1/traces", version = "1.1", headers = [], body = "" }: PostParts = {}): Buffer {
  const ends = headers.some((header) => /^(content-length|transfer-encoding):/i.test(header));
  const lines = [
    `POST ${path} HTTP/${version}`,
    "Host: localhost",
    "Content-Type: application/x-protobuf",
    ...headers,
    ...(ends ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), Buffer.from(body)]);
}
