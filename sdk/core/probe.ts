import { connect } from "node:net";

const TIMEOUT_MS = 5_000;

/**
 * Whether anybody listens at a URL: undefined when somebody does, else the code of the error. Asked before the first request and after one that nobody answered, because the
 * exporter would try such a request again for ten seconds, and its timers would hold up the end of the process as long.
 */
export function probe(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { hostname, port, protocol } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(port || (protocol === "https:" ? 443 : 80)), timeout: TIMEOUT_MS });
    const end = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.unref();
    socket.on("connect", () => end(undefined));
    socket.on("timeout", () => end("ETIMEDOUT"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "unknown"));
  });
}
