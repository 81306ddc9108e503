import { connect } from "node:net";

/** A keep-alive connection that sends ready-made requests one after the other: as little client as there can be. */
export interface HttpConnection {
  /** Resolves with the status once the whole answer has come; rejects when the connection breaks. */
  exchange(head: Buffer, body: Buffer): Promise<number>;
  close(): void;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = "0\r\n\r\n";

export function openHttpConnection(url: URL): Promise<HttpConnection> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let waiting: { resolve(status: number): void; reject(error: Error): void } | undefined;
  const settle = (): typeof waiting => {
    const settled = waiting;
    waiting = undefined;
    return settled;
  };
  const fail = (error: Error): void => settle()?.reject(error);
  socket.on("data", (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const status = completeAnswer(received);
    if (status === undefined) return;
    received = Buffer.alloc(0);
    settle()?.resolve(status);
  });
  socket.on("close", () => fail(new Error("the server closed the connection")));
  const connection: HttpConnection = {
    exchange: (head, body) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.cork();
        socket.write(head);
        socket.write(body);
        socket.uncork();
      }),
    close: () => socket.destroy(),
  };
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(connection));
    socket.on("error", (error) => {
      reject(error);
      fail(error);
    });
  });
}

/** The status of the one answer in `bytes`, or undefined while a part of it is missing. */
export function completeAnswer(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const body = bytes.subarray(headEnd + HEAD_END.length);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head);
  const complete = chunked ? body.toString("latin1").endsWith(LAST_CHUNK) : body.length >= Number(length ?? 0);
  return complete ? Number(head.slice(9, 12)) : undefined;
}

/** The request line and headers of a POST. */
export function requestHead(url: URL, headers: Readonly<Record<string, string | number>>): Buffer {
  const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n`);
}
