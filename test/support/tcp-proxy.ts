import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * pass: bytes go through · hang: connections are accepted, and nothing moves in either direction until the next `pass` ·
 * mute: what the client says goes through, and what the server says is lost · fin: a new connection is closed at once, as by a balancer without a backend.
 */
export type ProxyMode = "pass" | "hang" | "mute" | "fin";

/** Stands between a client and a server and does what networks do. */
export interface TcpProxy {
  readonly port: number;
  /** `url` with this proxy in the place of its host and port. */
  urlFor(url: string): string;
  setMode(mode: ProxyMode): void;
  /** Holds everything back for so long, in both directions. */
  setDelay(millis: number): void;
  /** Ends all connections with RST. */
  reset(): void;
  /** When connections came in, on the clock of performance.now(). */
  readonly accepted: readonly number[];
  close(): Promise<void>;
}

export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const accepted: number[] = [];
  const sockets = new Set<Socket>();
  let mode: ProxyMode = "pass";
  let delayMillis = 0;

  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  };
  const releases = new Set<() => void>();
  const forward = (from: Socket, to: Socket, speaker: "client" | "server"): void => {
    const held: Buffer[] = [];
    const release = (): void => {
      for (const chunk of held.splice(0)) to.write(chunk);
      from.resume();
    };
    releases.add(release);
    from.on("data", (chunk: Buffer) => {
      if (mode === "hang") {
        held.push(chunk);
        from.pause();
      } else if (mode === "mute" && speaker === "server") return;
      else if (delayMillis === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), delayMillis);
    });
    from.on("close", () => {
      releases.delete(release);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    accepted.push(performance.now());
    track(client);
    if (mode === "fin") return void client.end();
    const upstream = track(connect(target.port, target.host));
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    forward(client, upstream, "client");
    forward(upstream, client, "server");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    port,
    accepted,
    urlFor(url) {
      const changed = new URL(url);
      changed.hostname = "127.0.0.1";
      changed.port = String(port);
      return changed.href;
    },
    setMode(next) {
      mode = next;
      if (next === "pass") for (const release of releases) release();
    },
    setDelay(millis) {
      delayMillis = millis;
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
