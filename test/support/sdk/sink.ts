import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";

/** A span as OTLP/JSON has it, its attributes as plain values. */
export interface SunkSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code: number; readonly message?: string };
  readonly droppedAttributesCount: number;
  readonly scope: string;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface SunkRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly atMillis: number;
  /** Decoded where the body is JSON. */
  readonly spans: readonly SunkSpan[];
}

/** How the next requests are answered: by default 200 with an empty body of JSON. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Closes the connection without an answer. */
  readonly breaks?: boolean;
}

/** A collector that takes everything and answers as it is told. */
export interface Sink {
  readonly url: string;
  readonly requests: readonly SunkRequest[];
  /** The spans of all requests that were answered well. */
  spans(): SunkSpan[];
  /** Decides each answer from here on. */
  answer(decide: (request: SunkRequest, number: number) => Answer): void;
  /** Waits until `condition` holds, looking again after each request; rejects after 20 s. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const UNTIL_MS = 20_000;

/** `port` 0 takes a free one. */
export async function startSink(port = 0): Promise<Sink> {
  const requests: SunkRequest[] = [];
  const accepted: SunkRequest[] = [];
  const watchers = new Set<() => void>();
  let decide: (request: SunkRequest, number: number) => Answer = () => ({});
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const isJson = incoming.headers["content-type"] === "application/json" && incoming.headers["content-encoding"] === undefined;
      const spans = isJson ? spansOf(JSON.parse(body.toString()) as Json) : [];
      const request = { url: incoming.url ?? "", headers: incoming.headers, body, spans, atMillis: performance.now() };
      requests.push(request);
      const answer = decide(request, requests.length);
      if ((answer.status ?? 200) === 200 && answer.breaks !== true) accepted.push(request);
      send(response, answer);
      for (const watcher of watchers) watcher();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    requests,
    spans: () => accepted.flatMap(({ spans }) => spans),
    answer(next) {
      decide = next;
    },
    until: (condition) => waitUntil(condition, watchers),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { status = 200, headers = {}, body = "{}", breaks = false }: Answer): void {
  if (breaks) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}

function waitUntil(condition: () => boolean, watchers: Set<() => void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      watchers.delete(check);
      clearTimeout(timer);
    };
    const check = (): void => {
      if (!condition()) return;
      stop();
      resolve();
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error("the sink did not get what was awaited"));
    }, UNTIL_MS);
    watchers.add(check);
    check();
  });
}

type Json = Readonly<Record<string, unknown>>;

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

function spansOf(body: Json): SunkSpan[] {
  return listOf(body["resourceSpans"]).flatMap((group) =>
    listOf(group["scopeSpans"]).flatMap((scope) =>
      listOf(scope["spans"]).map((span) => ({
        ...(span as unknown as SunkSpan),
        attributes: plain(span["attributes"]),
        events: listOf(span["events"]).map((event) => ({ name: String(event["name"]), attributes: plain(event["attributes"]) })),
        scope: String((scope["scope"] as Json)["name"]),
        resource: plain((group["resource"] as Json)["attributes"]),
      })),
    ),
  );
}

const plain = (attributes: unknown): Record<string, unknown> =>
  Object.fromEntries(listOf(attributes).map(({ key, value }) => [key, plainValue(value as Json)]));

function plainValue(value: Json): unknown {
  const [[kind, content] = ["", undefined]] = Object.entries(value);
  if (kind === "arrayValue") return listOf((content as Json)["values"]).map(plainValue);
  return kind === "intValue" ? Number(content) : content;
}
