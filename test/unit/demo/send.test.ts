import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { SetupError } from "../../../collector/base/setup-error.ts";
import { sendHistory, sendLive } from "../../../collector/demo/index.ts";

let server: Server | undefined;

async function listen(handler: RequestListener): Promise<string> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const spansIn = async (request: IncomingMessage): Promise<number> => {
  const body = JSON.parse(await text(request)) as { resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] };
  return body.resourceSpans.flatMap((each) => each.scopeSpans).reduce((sum, scope) => sum + scope.spans.length, 0);
};

const input = (endpoint: string, signal = new AbortController().signal) => ({ endpoint, signal, rows: 400, seed: 7 });

describe("sending the demo", () => {
  it("sends every span once and tells how many there were", async () => {
    let received = 0;
    const endpoint = await listen(async (request, response) => {
      const spans = await spansIn(request);
      received += spans;
      response.end("{}");
    });
    expect((await sendHistory(input(endpoint))).spans).toBe(received);
  });

  it.each([429, 503])("waits and sends again after %d", async (status) => {
    let requests = 0;
    let received = 0;
    const endpoint = await listen(async (request, response) => {
      const spans = await spansIn(request);
      if (++requests === 1) return void response.writeHead(status, { "retry-after": "0" }).end("{}");
      received += spans;
      response.end("{}");
    });
    expect((await sendHistory(input(endpoint))).spans).toBe(received);
  });

  it.each([
    [400, "{}"],
    [200, '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}'],
  ])("says so when spans are refused (%d %s)", async (status, answer) => {
    const endpoint = await listen((_, response) => void response.writeHead(status).end(answer));
    await expect(sendHistory(input(endpoint))).rejects.toBeInstanceOf(SetupError);
  });

  it("sends live spans that have just ended, and stops when told", async () => {
    const stop = new AbortController();
    const ages: number[] = [];
    const endpoint = await listen(async (request, response) => {
      const [, end] = /"endTimeUnixNano":"(\d+)"/.exec(await text(request))!;
      ages.push(Date.now() - Number(BigInt(end!) / 1_000_000n));
      response.end("{}");
      stop.abort();
    });
    await sendLive(input(endpoint, stop.signal));
    expect(ages).toHaveLength(1);
    expect(ages[0]).toBeGreaterThanOrEqual(0);
    expect(ages[0]).toBeLessThan(5_000);
  });
});
