import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { Server } from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accepted, type Outcome } from "../../../collector/base/outcome.ts";
import { SetupError } from "../../../collector/base/setup-error.ts";
import { listenGrpc } from "../../../collector/receivers/grpc-server.ts";
import { connectGrpc, EXPORT_PATHS } from "../../support/grpc-client.ts";
import { type GrpcRig, startGrpcRig } from "../../support/grpc-rig.ts";
import { connectRaw, framed } from "../../support/raw-grpc.ts";
import { span, tracesRequest } from "../../support/wire-builder.ts";

const BODY = tracesRequest([span()]);

let rig: GrpcRig;
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanup.splice(0)) await each();
});

async function start(outcome: Outcome | (() => Promise<Outcome>) = accepted()): Promise<void> {
  rig = await startGrpcRig(outcome);
  cleanup.push(() => rig.close(0));
}

function client() {
  const connected = connectGrpc(rig.url);
  cleanup.unshift(connected.close);
  return connected;
}

describe("addresses that cannot be had", () => {
  const refusal = (host: string, port: number): Promise<unknown> =>
    listenGrpc(new Server(), { host, port, purpose: "receivers::otlp::protocols::grpc::endpoint" }).catch((error: unknown) => error);

  it("PRC-10 a port that another program has is one clear sentence", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    cleanup.push(() => other.close());
    const { port } = other.address() as AddressInfo;
    const error = (await refusal("127.0.0.1", port)) as Error;
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toBe(
      `The address 127.0.0.1:${port} is in use by another program: stop it, or give receivers::otlp::protocols::grpc::endpoint another port in the configuration.`,
    );
  });

  it("an address of another machine is one clear sentence", async () => {
    expect(await refusal("192.0.2.1", 0)).toBeInstanceOf(SetupError);
  });
});

describe("other protocols on the address", () => {
  it("an exporter that speaks HTTP/1.1 is told what is served here, and gRPC goes on", async () => {
    await start();
    const response = await fetch(`${rig.url}/v1/traces`, { method: "POST", body: new Uint8Array(BODY) });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/gRPC only; OTLP\/HTTP .* another port/);
    expect((await client().send(EXPORT_PATHS.traces, BODY)).code).toBe("OK");
  });

  it("HTTP/2 that comes in small pieces is served", async () => {
    await start();
    const through = createServer((downstream) => {
      const upstream = connect(rig.port, "127.0.0.1");
      upstream.setNoDelay(true);
      downstream.on("data", (chunk: Buffer) => {
        for (const byte of chunk) upstream.write(Buffer.of(byte));
      });
      upstream.pipe(downstream);
      for (const socket of [upstream, downstream]) socket.on("error", () => {});
      downstream.on("close", () => upstream.destroy());
    }).listen(0, "127.0.0.1");
    await once(through, "listening");
    cleanup.unshift(() => through.close());
    const connection = connectRaw(`http://127.0.0.1:${(through.address() as AddressInfo).port}`);
    cleanup.unshift(connection.close);
    const { stream, status } = connection.call();
    stream.end(framed(BODY));
    expect(await status).toBe(0);
  });

  it.each([
    ["noise", Buffer.from("\u0016\u0003\u0001 noise")],
    ["a preface and noise", Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.alloc(100, 0xff)])],
  ])("%s ends that connection and no other", async (_, bytes) => {
    await start();
    const steady = client();
    expect((await steady.send(EXPORT_PATHS.traces, BODY)).code).toBe("OK");
    const socket = connect(rig.port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.write(bytes);
    await once(socket, "close");
    expect((await steady.send(EXPORT_PATHS.traces, BODY)).code).toBe("OK");
  });
});

describe("stopping", () => {
  it("PRC-01 a call under way is finished, and nobody is let in any more", async () => {
    const work = Promise.withResolvers<Outcome>();
    await start(() => work.promise);
    const steady = client();
    const underWay = steady.send(EXPORT_PATHS.traces, BODY);
    await vi.waitFor(() => expect(rig.seen).toHaveLength(1));
    const closed = rig.close(10_000);
    const late = connect(rig.port, "127.0.0.1");
    const [refused] = (await once(late, "error")) as [NodeJS.ErrnoException];
    expect(refused.code).toBe("ECONNREFUSED");
    work.resolve(accepted());
    expect((await underWay).code).toBe("OK");
    await closed;
  });

  it("PRC-01 a call that does not end is cut when the grace time is over, as one that may be sent again", async () => {
    await start(() => new Promise<Outcome>(() => {}));
    const stuck = client().send(EXPORT_PATHS.traces, BODY);
    await vi.waitFor(() => expect(rig.seen).toHaveLength(1));
    await rig.close(100);
    expect((await stuck).code).toMatch(/^(CANCELLED|UNAVAILABLE)$/);
  });

  it("idle connections do not hold it up", async () => {
    await start();
    expect((await client().send(EXPORT_PATHS.traces, BODY)).code).toBe("OK");
    const silent = connect(rig.port, "127.0.0.1");
    silent.on("error", () => {});
    await once(silent, "connect");
    const began = performance.now();
    await rig.close(20_000);
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
