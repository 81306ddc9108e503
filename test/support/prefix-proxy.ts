import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A reverse proxy that passes on what is asked below `prefix`, without it, and knows nothing else. */
export interface PrefixProxy extends AsyncDisposable {
  readonly origin: string;
  /** Paths with which it was asked. */
  readonly asked: readonly string[];
}

export async function startPrefixProxy(
  prefix: string,
  passOn: (path: string, init: RequestInit) => Promise<Response>,
): Promise<PrefixProxy> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const { url = "", method = "GET", headers } = request;
    asked.push(url);
    const body = await buffer(request);
    if (!url.startsWith(`${prefix}/`)) return void response.writeHead(404, { "content-type": "text/html" }).end("<h1>no such site</h1>");
    const type = headers["content-type"];
    const answer = await passOn(url.slice(prefix.length), {
      ...{ method, headers: type === undefined ? {} : { "content-type": type } },
      ...(body.length === 0 ? {} : { body }),
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
