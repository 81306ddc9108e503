import type { Socket } from "node:net";

/** How every HTTP/2 connection begins (RFC 9113, 3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n");
const FIRST_BYTES_WITHIN_MS = 10_000;

const MISDIRECTED = "this address takes gRPC only; OTLP/HTTP is served on another port, 4318 unless configured otherwise\n";
const ANSWER = `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${MISDIRECTED.length}\r\n\r\n${MISDIRECTED}`;

/**
 * Passes a connection on once it has begun as HTTP/2, with the bytes that were read. An exporter set to the wrong protocol is told so
 * (grpc-js would leave it with a parse error), and a connection that says nothing does not stay.
 */
export function acceptHttp2(socket: Socket, proceed: () => void): void {
  const onSilence = (): void => void socket.destroy();
  const onFirst = (chunk: Buffer): void => {
    socket.setTimeout(0).off("timeout", onSilence);
    const known = Math.min(chunk.length, PREFACE.length);
    if (chunk.compare(PREFACE, 0, known, 0, known) !== 0) return void socket.end(ANSWER);
    socket.pause();
    socket.unshift(chunk);
    proceed();
  };
  socket.setTimeout(FIRST_BYTES_WITHIN_MS).once("timeout", onSilence).once("data", onFirst);
}
