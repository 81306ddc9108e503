import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Server as GrpcServer } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { accepted, type Rejected, rejected, retryable } from "../../../collector/base/outcome.ts";
import { EXIT } from "../../../collector/cli/exit-codes.ts";
import { type ConfiguredAddress, checkAddress, checkReadiness, urlOf } from "../../../collector/doctor/addresses.ts";
import { listenGrpc } from "../../../collector/receivers/grpc-server.ts";
import { startGrpcRig } from "../../support/grpc-rig.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const at = (port: number, kind: ConfiguredAddress["kind"] = "web"): ConfiguredAddress => ({
  name: kind,
  host: "127.0.0.1",
  port,
  key: `extensions::${kind}::endpoint`,
  kind,
});

const answering = (status: number, text: string): RequestListener => {
  return (_, response) => void response.writeHead(status, { connection: "close" }).end(text);
};

describe("the doctor's look at an address", () => {
  it("knows our web address by its health and our receiver by taking POST alone", async () => {
    const web = await listening(createHttpServer(answering(200, "ok\n")));
    expect(await checkAddress(at(web))).toMatchObject({ ok: true });
    const otlp = await listening(createHttpServer(answering(405, "method not allowed\n")));
    expect(await checkAddress(at(otlp, "http"))).toMatchObject({ ok: true });
  });

  it("asks where the configuration has it take traces", async () => {
    const port = await listening(createHttpServer((request, response) => void response.writeHead(request.url === "/t" ? 405 : 404).end()));
    expect(await checkAddress({ ...at(port, "http"), tracesPath: "/t" })).toMatchObject({ ok: true });
    expect(await checkAddress(at(port, "http"))).toMatchObject({ ok: false });
  });

  it("says that nobody listens, and how to start", async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await checkAddress(at(port))).toMatchObject({
      ok: false,
      exitCode: EXIT.unreachable,
      detail: expect.stringContaining("genspan serve"),
    });
  });

  it("names another program on the port, whether it speaks HTTP or not, and the key that moves ours", async () => {
    const http = await listening(createHttpServer(answering(200, "<h1>It works!</h1>")));
    const other = await listening(createServer((socket) => void socket.end("SSH-2.0-OpenSSH_9\r\n")));
    for (const port of [http, other]) {
      const check = await checkAddress(at(port));
      expect(check).toMatchObject({ ok: false, detail: expect.stringContaining("another program") });
      expect(check.detail).toContain("extensions::web::endpoint");
    }
  });

  it("does not guess a port that is taken at the start", async () => {
    expect(await checkAddress(at(0))).toMatchObject({ ok: true, detail: expect.stringContaining("any free port") });
  });

  it("asks this machine where the collector listens on every address", () => {
    expect(urlOf({ host: "0.0.0.0", port: 4318 })).toBe("http://127.0.0.1:4318");
    expect(urlOf({ host: "::", port: 4318 })).toBe("http://[::1]:4318");
  });

  it.each([
    [200, "ready\n", true, /takes data/],
    [503, "database\n", false, /\(database\).*checks of the database/],
    [503, "stopping\n", false, /\(stopping\).*start it again/],
  ])("tells readiness %d %j", async (status, text, ok, detail) => {
    const port = await listening(createHttpServer(answering(status, text)));
    expect(await checkReadiness(at(port))).toMatchObject({ ok, detail: expect.stringMatching(detail) });
  });
});

describe("the doctor's look at the address of OTLP/gRPC", () => {
  const portOf = (url: string): number => Number(new URL(url).port);
  const keyWanted: Rejected = rejected("unauthenticated", "a key is required");

  it.each([
    ["takes an empty request", accepted(), undefined],
    ["wants a key first", accepted(), keyWanted],
    ["has no database at the moment", retryable("database", "the database is away"), undefined],
  ])("knows a receiver that %s", async (_, outcome, refusal) => {
    const rig = await startGrpcRig(outcome, refusal === undefined ? {} : { authenticate: async () => refusal });
    expect(await checkAddress(at(portOf(rig.url), "grpc"))).toMatchObject({
      ok: true,
      detail: expect.stringContaining("the collector listens"),
    });
    expect(rig.seen.map(({ signal, body }) => [signal, body.length])).toEqual(refusal === undefined ? [["traces", 0]] : []);
    await rig.close(0);
  });

  it("says that nobody listens, and how to start", async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await checkAddress(at(port, "grpc"))).toMatchObject({
      ok: false,
      exitCode: EXIT.unreachable,
      detail: expect.stringContaining("genspan serve"),
    });
  });

  it("names another program on the port: one of HTTP, one of neither, and a gRPC server of other services", async () => {
    const http = await listening(createHttpServer(answering(200, "<h1>It works!</h1>")));
    const other = await listening(createServer((socket) => void socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9\r\n")));
    const grpc = await listenGrpc(new GrpcServer(), { host: "127.0.0.1", port: 0, purpose: "test" });
    for (const port of [http, other, portOf(grpc.url)]) {
      expect(await checkAddress(at(port, "grpc"))).toMatchObject({ ok: false, detail: expect.stringContaining("another program") });
    }
    await grpc.close(0);
  });
});
