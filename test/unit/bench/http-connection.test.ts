import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { completeAnswer, openHttpConnection, requestHead } from "../../bench/http-connection.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server | SocketServer): Promise<URL> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`);
}

describe("an answer", () => {
  it("is complete with its content-length", () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    expect(completeAnswer(Buffer.from(answer))).toBe(200);
    expect(completeAnswer(Buffer.from(answer.slice(0, -1)))).toBeUndefined();
    expect(completeAnswer(Buffer.from(answer.slice(0, 20)))).toBeUndefined();
  });

  it("is complete with the last chunk", () => {
    const answer = "HTTP/1.1 503 Service Unavailable\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    expect(completeAnswer(Buffer.from(answer))).toBe(503);
    expect(completeAnswer(Buffer.from(answer.slice(0, -5)))).toBeUndefined();
  });

  it("without a body is complete with its head", () => {
    expect(completeAnswer(Buffer.from("HTTP/1.1 204 No Content\r\n\r\n"))).toBe(204);
  });
});

describe("a connection", () => {
  it("carries one request after the other with method, path, headers and body", async () => {
    const seen: string[] = [];
    const url = await listening(
      createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          seen.push(`${request.method} ${request.url} ${request.headers["content-type"]} ${Buffer.concat(chunks).length}`);
          response.writeHead(seen.length === 1 ? 200 : 429).end("answer");
        });
      }),
    );
    const connection = await openHttpConnection(url);
    const head = requestHead(url, { "content-type": "application/json", "content-length": 300_000 });
    expect(await connection.exchange(head, Buffer.alloc(300_000))).toBe(200);
    expect(await connection.exchange(head, Buffer.alloc(300_000))).toBe(429);
    expect(seen).toEqual(Array(2).fill("POST /v1/traces application/json 300000"));
    connection.close();
  });

  it("that the server closes instead of answering rejects", async () => {
    const url = await listening(createSocketServer((socket) => socket.once("data", () => socket.destroy())));
    const connection = await openHttpConnection(url);
    await expect(connection.exchange(requestHead(url, {}), Buffer.alloc(0))).rejects.toThrow();
  });

  it("to a port where nobody listens rejects", async () => {
    const server = createSocketServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(openHttpConnection(url)).rejects.toThrow(/ECONNREFUSED/);
  });
});
