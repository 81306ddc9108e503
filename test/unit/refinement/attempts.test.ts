import { describe, expect, it } from "vitest";
import { type Attempt, attemptsOf } from "../../../collector/refinement/attempts.ts";
import type { CallFacts, ChildSpan } from "../../../collector/refinement/facts.ts";
import { httpTries, placeOf } from "../../../collector/refinement/http-tries.ts";

type Attributes = Readonly<Record<string, unknown>>;

const at = (millis: number): string => new Date(Date.UTC(2026, 0, 1) + millis).toISOString();

function request(spanId: string, startMillis: number, attributes: Attributes, more: Partial<ChildSpan> = {}): ChildSpan {
  return {
    spanId,
    parentSpanId: "call",
    startTime: at(startMillis),
    startMillis,
    endTime: at(startMillis + 10),
    durationMillis: 10,
    failed: false,
    statusMessage: undefined,
    environment: undefined,
    service: undefined,
    attributes: { "http.request.method": "POST", ...attributes },
    ...more,
  };
}

const to = (url: string, status = 200, more: Attributes = {}): Attributes => ({
  "url.full": url,
  "http.response.status_code": status,
  ...more,
});

const call = (more: Partial<CallFacts> = {}): CallFacts => ({
  spanId: "call",
  startTime: at(0),
  startMillis: 0,
  endMillis: 1_000,
  endTime: at(1_000),
  parentSpanId: "agent",
  dialect: "semconv",
  operation: "chat",
  model: "gpt-4o",
  responseModel: undefined,
  provider: "openai",
  responseId: undefined,
  status: "success",
  errorType: undefined,
  errorMessage: undefined,
  toldTries: undefined,
  tokens: undefined,
  image: undefined,
  contentState: "captured",
  has: new Set(),
  wraps: false,
  counted: true,
  survivor: undefined,
  filledFrom: {},
  own: {},
  itemId: undefined,
  ...more,
});

describe("of the requests over HTTP below a call", () => {
  const tries = (operation: string, server: Attributes | undefined, ...children: readonly ChildSpan[]): string[] => {
    const place = server === undefined ? undefined : placeOf(server);
    return httpTries(children, { operation, places: place === undefined ? [] : [place] }).map(({ spanId }) => spanId);
  };
  const openai = { "server.address": "api.openai.com", "server.port": 443 };
  const chat = request("chat", 50, to("https://api.openai.com/v1/chat/completions"));

  it.each<[string, string]>([
    ["a token endpoint", "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"],
    ["a token endpoint of the same server", "https://api.openai.com/oauth/token"],
    ["a tracker", "https://us.i.posthog.com/batch"],
    ["a collector of telemetry", "http://localhost:4318/v1/traces"],
    ["a vector store", "https://index-1.svc.pinecone.io/query"],
    ["a vector store of one's own", "http://qdrant:6333/collections/docs/points/search"],
    ["an unknown server", "https://example.com/anything"],
    ["embeddings of the same server", "https://api.openai.com/v1/embeddings"],
    ["the count of tokens of the same server", "https://api.openai.com/v1/messages/count_tokens"],
  ])("what goes to %s is no try", (_, url) => {
    const errand = [request("errand1", 0, to(url)), request("errand2", 20, to(url)), request("errand3", 90, to(url))];
    expect(tries("chat", openai, ...errand, chat)).toEqual(["chat"]);
    expect(tries("chat", undefined, ...errand, chat)).toEqual(["chat"]);
    expect(tries("chat", openai, ...errand)).toEqual(
      url.startsWith("https://api.openai.com/v1/messages") ? ["errand1", "errand2", "errand3"] : [],
    );
  });

  it.each<[string, Attributes, Attributes]>([
    [
      "by name and port",
      { "server.address": "gw.internal", "server.port": 8080 },
      { "server.address": "gw.internal", "server.port": 8080 },
    ],
    ["in another case", { "server.address": "GW.Internal" }, to("https://gw.internal/ask")],
    ["as an URL", { "server.address": "https://gw.internal/v1" }, to("https://gw.internal/ask")],
    ["in older names", { "net.peer.name": "gw.internal", "net.peer.port": 80 }, { "http.url": "http://gw.internal/ask" }],
    ["by name and port in one", { "http.host": "gw.internal:8080" }, { "server.address": "gw.internal", "server.port": 8080 }],
    ["as itself", { "server.address": "localhost", "server.port": 11_434 }, to("http://127.0.0.1:11434/ask")],
    ["not at all in the request", { "server.address": "gw.internal" }, { "http.response.status_code": 200 }],
  ])("those to the server that the call names %s are tries", (_, server, attributes) => {
    const other = [request("other1", 0, to("https://elsewhere.internal/ask")), request("other2", 5, to("https://elsewhere.internal/ask"))];
    expect(tries("chat", server, ...other, request("there", 10, attributes))).toEqual(["there"]);
  });

  it("another port of the same host is another server", () => {
    const server = { "server.address": "localhost", "server.port": 11_434 };
    const vectors = request("vectors", 0, to("http://localhost:6333/anything"));
    expect(tries("chat", server, vectors, request("there", 10, to("http://localhost:11434/api/chat")))).toEqual(["there"]);
  });

  it("one through a gateway that the call does not name is known by its path", () => {
    expect(tries("chat", openai, request("gateway", 0, to("http://litellm:4000/chat/completions")))).toEqual(["gateway"]);
  });

  it("a model's API elsewhere is a try where one before it failed, and a call of its own where none did", () => {
    const failed = request("failed", 0, to("https://api.openai.com/v1/chat/completions", 503));
    const guard = request("guard", 0, to("https://api.groq.com/openai/v1/chat/completions"));
    const fallback = request("fallback", 60, to("https://me.openai.azure.com/openai/deployments/gpt/chat/completions"));
    expect(tries("chat", openai, fallback, failed)).toEqual(["failed", "fallback"]);
    expect(tries("chat", openai, guard, chat)).toEqual(["chat"]);
  });

  it.each<[string, string]>([
    ["chat", "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude/converse-stream"],
    ["chat", "https://me.services.example/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"],
    ["generate_content", "https://us-aiplatform.googleapis.com/v1/projects/p/models/claude:streamRawPredict"],
    ["chat", "http://ollama/api/chat"],
    ["text_completion", "http://tgi/generate_stream"],
    ["embeddings", "http://ollama/api/embed"],
    ["embeddings", "https://gemini.example/v1beta/models/e:batchEmbedContents"],
    ["image_generation", "https://images.example/v1/images/edits"],
  ])("a %s is known by the path of %s", (operation, url) => {
    const busy = [1, 2, 3].map((i) => request(`busy${i}`, i, to("https://other.example/ask")));
    expect(tries(operation, undefined, ...busy, request("model", 9, to(url)))).toEqual(["model"]);
  });

  it("a provider's host is known where the path tells nothing, and what is most frequent where nothing is known", () => {
    const other = request("other", 0, to("https://other.example/ask"));
    const asked = (id: string, start: number) => request(id, start, to("https://llm.example/talk"));
    expect(tries("chat", undefined, other, request("model", 5, to("https://api.mistral.ai/v9/new")))).toEqual(["model"]);
    expect(tries("chat", undefined, asked("a", 10), other, asked("b", 30))).toEqual(["a", "b"]);
    expect(tries("chat", undefined, other, request("long", 1, to("https://llm.example/talk"), { durationMillis: 900 }))).toEqual(["long"]);
  });

  it("asking for a result again and again is no try", () => {
    const poll = request("poll", 50, { ...to("https://api.openai.com/v1/responses/r1"), "http.request.method": "GET" });
    expect(tries("chat", openai, request("asked", 0, to("https://api.openai.com/v1/responses")), poll)).toEqual(["asked"]);
  });

  it("paths and hosts that are no such thing break nothing", () => {
    const odd: Attributes[] = [{ "url.full": "::" }, { "url.full": 7, "server.address": "" }, { "server.address": "a b", "url.path": "?" }];
    const requests = odd.map((attributes, i) => request(`odd${i}`, i, attributes));
    expect(tries("chat", undefined, ...requests).length).toBeGreaterThan(0);
    expect(tries("chat", { "server.address": "a b" }, ...requests).length).toBeGreaterThan(0);
  });
});

describe("the tries of a call", () => {
  const post = (spanId: string, start: number, status: number, resent?: number | string): ChildSpan =>
    request(spanId, start, {
      "http.response.status_code": status,
      ...(resent === undefined ? {} : { "http.request.resend_count": resent }),
    });
  const summary = (attempts: readonly Attempt[] | undefined) =>
    attempts?.map(({ number, success, httpStatus, startedAt }) => [number, success, httpStatus, startedAt]);
  const of = (facts: Partial<CallFacts>, ...children: readonly ChildSpan[]) => attemptsOf({ call: call(facts), twins: [] }, children, []);
  const unknown = (number: number) => [number, false, undefined, undefined];

  it("are known by how often the only request was sent, with a row for each of them", () => {
    const found = of({}, post("third", 500, 200, 2));
    expect(summary(found)).toEqual([unknown(1), unknown(2), [3, true, 200, at(500)]]);
    expect(found?.[0]).toMatchObject({ provider: "openai", model: "gpt-4o", durationMillis: undefined, errorType: undefined });
  });

  it("are one for each request where all of them are there, counted or not", () => {
    const expected = [
      [1, false, 429, at(0)],
      [2, false, 429, at(20)],
      [3, true, 200, at(40)],
    ];
    expect(summary(of({}, post("a", 0, 429), post("b", 20, 429, 1), post("c", 40, 200, 2)))).toEqual(expected);
    expect(summary(of({}, post("c", 40, 200), post("a", 0, 429), post("b", 20, 429)))).toEqual(expected);
    expect(summary(of({}, post("b", 20, 429, "1"), post("c", 40, 200, 2), post("a", 0, 429)))).toEqual(expected);
  });

  it("have a gap filled that requests leave", () => {
    expect(summary(of({}, post("a", 0, 429), post("c", 40, 200, 2)))).toEqual([[1, false, 429, at(0)], unknown(2), [3, true, 200, at(40)]]);
  });

  it("go on where the application begins anew what its client had sent again", () => {
    const found = of({}, post("a", 0, 503), post("b", 20, 503, 1), post("c", 40, 503), post("d", 60, 200, 1));
    expect(found?.map(({ number, httpStatus }) => [number, httpStatus])).toEqual([
      [1, 503],
      [2, 503],
      [3, 503],
      [4, 200],
    ]);
  });

  it("are as many as the call says, without a request to be seen", () => {
    const failed: Partial<CallFacts> = { status: "failed", errorType: "overloaded", errorMessage: "busy", toldTries: 3 };
    const found = of({ ...failed, server: { place: undefined, httpStatus: 529 } });
    expect(summary(found)).toEqual([unknown(1), unknown(2), [3, false, 529, undefined]]);
    expect(found?.[2]).toMatchObject({ errorType: "overloaded", errorMessage: "busy" });
    expect(of({ toldTries: 1 })).toBeUndefined();
    expect(of({ toldTries: undefined })).toBeUndefined();
  });

  it("that the call counts and of which some are seen are the latest", () => {
    expect(summary(of({ toldTries: 3 }, post("last", 500, 200)))).toEqual([unknown(1), unknown(2), [3, true, 200, at(500)]]);
    expect(of({ toldTries: 1 }, post("a", 0, 503), post("b", 20, 200))).toHaveLength(2);
  });

  it("of absurd numbers make no rows", () => {
    expect(of({ toldTries: 2_000_000_000 })).toBeUndefined();
    for (const count of [-1, 1.5, 2 ** 40, "many", null]) {
      expect(summary(of({}, request("a", 0, { "http.request.resend_count": count })))).toEqual([[1, true, undefined, at(0)]]);
    }
  });

  it("are no success where the answer sent elsewhere or broke off", () => {
    const moved = request("moved", 0, { "http.response.status_code": 307 });
    const broken = request("broken", 20, { "http.response.status_code": 200, "error.type": "ECONNRESET" }, { failed: true });
    expect(of({}, moved, broken, post("done", 40, 200))).toMatchObject([
      { success: false, errorType: "307" },
      { success: false, httpStatus: 200, errorType: "ECONNRESET" },
      { success: true },
    ]);
  });

  const record = (spanId: string, start: number, number: unknown): ChildSpan =>
    request(spanId, start, { "genspan.record": "attempt", "genspan.attempt.number": number, "genspan.attempt.outcome": "success" });

  it("that our own records tell keep their numbers, and what is missing between them has a row", () => {
    expect(of({}, record("c", 40, 3), record("a", 0, 1))?.map(({ number, startedAt }) => [number, startedAt])).toEqual([
      [1, at(0)],
      [2, undefined],
      [3, at(40)],
    ]);
  });

  it.each([[[0, 1]], [[2, 2]], [[undefined, 1]], [[5, 1_000_000]], [["x", -3]]])(
    "that our own records number %j are numbered in their order",
    (numbers) => {
      expect(of({}, ...numbers.map((number, i) => record(`r${i}`, i, number)))?.map(({ number }) => number)).toEqual([1, 2]);
    },
  );

  it("are those of the calls that failed before, then its own", () => {
    const failed = call({ spanId: "failed", startMillis: -500, endMillis: -100, startTime: at(-500), status: "failed", errorType: "503" });
    const siblings = [{ call: failed, twins: [] }];
    const folded = { call: call({ model: "claude-4" }), twins: [] };
    expect(attemptsOf(folded, [], siblings)?.map(({ model, success }) => [model, success])).toEqual([
      ["gpt-4o", false],
      ["claude-4", true],
    ]);
    const found = attemptsOf(folded, [post("a", 0, 503), post("b", 20, 200)], siblings);
    expect(found?.map(({ number, model, httpStatus }) => [number, model, httpStatus])).toEqual([
      [1, "gpt-4o", undefined],
      [2, "claude-4", 503],
      [3, "claude-4", 200],
    ]);
  });

  it("include a call that failed before within another telling of it", () => {
    const outer = (spanId: string) => call({ spanId, parentSpanId: "agent" });
    const failed = call({ spanId: "f1", parentSpanId: "f0", startMillis: -500, endMillis: -100, startTime: at(-500), status: "failed" });
    const folded = { call: call({ parentSpanId: "c0" }), twins: [outer("c0")] };
    expect(attemptsOf(folded, [], [folded, { call: failed, twins: [outer("f0")] }])).toHaveLength(2);
    expect(attemptsOf(folded, [], [folded, { call: failed, twins: [] }])).toBeUndefined();
  });
});
