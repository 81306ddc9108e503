import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { recording } from "../support/recordings.ts";
import { chat, http, logs, traces, useRefinementSuite } from "../support/refinement-suite.ts";

describeEachServer("attempts", (server) => {
  const { calls, attempts, sendAll, expectOrderIndependent } = useRefinementSuite(server);

  it("HTTP requests below a call are its attempts, in any order", { timeout: 120_000 }, async () => {
    const call = { id: "call", tookMs: 300, attributes: chat };
    const post = (id: string, at: number, status: number) => ({ id, parent: "call", at, tookMs: 50, kind: 3, attributes: http(status) });
    await expectOrderIndependent([traces(tracesOf(post("a", 1, 429))), traces(tracesOf(call)), traces(tracesOf(post("b", 100, 200)))]);
    expect((await calls())[0]).toMatchObject({ attempts_count: 2 });
    expect(await attempts()).toMatchObject([
      { attempt_number: 1, success: false, http_status: 429, duration_ms: 50 },
      { attempt_number: 2, success: true, http_status: 200 },
    ]);
  });

  it("our own records win over HTTP requests", { timeout: 120_000 }, async () => {
    const call = { id: "call", tookMs: 300, attributes: chat };
    const attempt = (id: string, number: number, outcome: string) => ({
      id,
      parent: "call",
      at: number * 10,
      attributes: {
        "genspan.record": "attempt",
        "genspan.attempt.number": number,
        "genspan.attempt.outcome": outcome,
        "gen_ai.request.model": `m${number}`,
      },
    });
    const post = { id: "post", parent: "call", at: 5, kind: 3, attributes: http(200) };
    await expectOrderIndependent([
      traces(tracesOf(call)),
      traces(tracesOf(attempt("try1", 1, "timeout"))),
      traces(tracesOf(attempt("try2", 2, "success"), post)),
    ]);
    expect(await attempts()).toMatchObject([
      { attempt_number: 1, success: false, error_type: "timeout", model_name: "m1" },
      { attempt_number: 2, success: true, model_name: "m2" },
    ]);
  });

  it("the failed calls right before one of the same parent are its attempts", async () => {
    const failed = {
      id: "failed",
      parent: "agent",
      tookMs: 50,
      error: "overloaded",
      attributes: { ...chat, "error.type": "overloaded_error" },
    };
    const fallback = { id: "other", parent: "agent", at: 60, attributes: { ...chat, "gen_ai.request.model": "claude-4" } };
    await sendAll([traces(tracesOf(fallback)), traces(tracesOf(failed))]);
    const rows = await calls();
    expect(rows.map((row) => row["attempts_count"])).toEqual([null, 2]);
    expect(await attempts()).toMatchObject([
      { span_id: spanIdOf("other"), attempt_number: 1, model_name: "gpt-4o", success: false, error_message: "overloaded" },
      { span_id: spanIdOf("other"), attempt_number: 2, model_name: "claude-4", success: true },
    ]);
  });

  it("a call told by two instrumentations, one of them over HTTP, is no attempt of itself", async () => {
    await sendAll([traces(recording("anthropic-openinference", "messages-529").body)]);
    expect(await calls()).toMatchObject([{ error_type: "overloaded_error", attempts_count: 2 }]);
    expect(await attempts()).toMatchObject([
      { attempt_number: 1, success: false, http_status: null, started_at: null, duration_ms: null },
      { attempt_number: 2, success: false, http_status: 529, error_type: "overloaded_error" },
    ]);
  });

  it("a request that is said to be the third, and another one for a token, are three attempts in any order", {
    timeout: 120_000,
  }, async () => {
    const server = { "server.address": "api.openai.com", "server.port": 443 };
    const below = { parent: "call", tookMs: 20, kind: 3 };
    const token = { ...below, id: "token", at: 1, attributes: { ...http(200), "url.full": "https://login.example.com/oauth/token" } };
    const third = { ...below, id: "third", at: 200, attributes: { ...http(200), "http.request.resend_count": 2 } };
    await expectOrderIndependent([
      traces(tracesOf(token)),
      traces(tracesOf({ id: "call", tookMs: 300, attributes: { ...chat, ...server } })),
      traces(tracesOf(third)),
    ]);
    expect(await calls()).toMatchObject([{ attempts_count: 3 }]);
    expect((await attempts()).map((row) => [row["attempt_number"], row["success"], row["http_status"], row["duration_ms"]])).toEqual([
      [1, false, null, null],
      [2, false, null, null],
      [3, true, 200, 20],
    ]);
  });

  it.each([
    [0, 1, 0],
    [2, 3, 3],
    ["2", 3, 3],
    [2_147_483_646, 2_147_483_647, 0],
    [2_147_483_647, null, 0],
    [-1, null, 0],
  ])("a call alone that says it was sent again %j times has %j attempts and %i rows of them", async (resent, count, rows) => {
    await sendAll([traces(tracesOf({ id: "call", attributes: { ...chat, "http.request.resend_count": resent } }))]);
    expect(await calls()).toMatchObject([{ attempts_count: count }]);
    expect(await attempts()).toHaveLength(rows);
  });

  it("the recorded client that was told twice to wait has three attempts", async () => {
    await sendAll([traces(recording("autoinst-openai6", "chat-429-retry-ok").body)]);
    expect((await attempts()).map((row) => row["http_status"])).toEqual([429, 429, 200]);
  });

  it("an event that is a call by itself and says that it failed for the third time has three", async () => {
    const attributes = { "session.id": "s", model: "claude", error: "overloaded", status_code: "529", attempt: 3 };
    await sendAll([logs(logsOf({ name: "claude_code.api_error", attributes }))]);
    expect(await calls()).toMatchObject([{ attempts_count: 3, generation_status: "failed" }]);
    expect((await attempts()).map((row) => [row["attempt_number"], row["success"], row["error_type"]])).toEqual([
      [1, false, null],
      [2, false, null],
      [3, false, "529"],
    ]);
  });

  it("requests below other spans of a client are attempts of the call, a tool's and those within another request are not", async () => {
    const call = { id: "call", tookMs: 300, attributes: { ...chat, "server.address": "api.openai.com" } };
    const plain = { id: "client", parent: "call", at: 1, tookMs: 290, attributes: { "rpc.system": "http" } };
    const tool = { id: "tool", parent: "call", at: 150, tookMs: 50, attributes: { "gen_ai.tool.name": "search" } };
    const post = (id: string, parent: string, at: number, status = 200) => ({
      id,
      parent,
      at,
      tookMs: 40,
      kind: 3,
      attributes: http(status),
    });
    const requests = [post("one", "client", 5, 429), post("two", "client", 60), post("deep", "two", 61), post("tooled", "tool", 155)];
    await expectOrderIndependent([traces(tracesOf(plain)), traces(tracesOf(tool, ...requests)), traces(tracesOf(call))]);
    expect((await attempts()).map((row) => [row["attempt_number"], row["http_status"]])).toEqual([
      [1, 429],
      [2, 200],
    ]);
  });

  it("the server that another telling of the call names is its server", async () => {
    const outer = { id: "outer", tookMs: 120, attributes: { ...chat, "server.address": "gw.internal" } };
    const inner = { id: "inner", parent: "outer", at: 5, tookMs: 100, attributes: chat };
    const post = (id: string, host: string) => ({
      id,
      parent: "inner",
      at: 10,
      kind: 3,
      attributes: { "http.request.method": "POST", "url.full": `https://${host}/ask` },
    });
    await sendAll([
      traces(tracesOf(outer, inner, post("there", "gw.internal"), post("track", "t.internal"), post("track2", "t.internal"))),
    ]);
    expect(await calls()).toMatchObject([{ attempts_count: 1 }]);
  });
});
