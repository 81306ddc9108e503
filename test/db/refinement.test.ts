import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Signal } from "../../collector/base/signal.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { logsOf, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { recording } from "../support/recordings.ts";

interface Part {
  readonly signal: Signal;
  readonly body: Buffer | object;
}

const traces = (body: Buffer | object): Part => ({ signal: "traces", body });
const logs = (body: Buffer | object): Part => ({ signal: "logs", body });

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai" };
const usage = (input: number, output: number) => ({ "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output });
const prompt = JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Hi" }] }]);
const answer = JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }]);
const http = (status: number) => ({
  "http.request.method": "POST",
  "url.full": "https://api.openai.com/v1/x",
  "http.response.status_code": status,
});

const RUNS = process.env["GENSPAN_TEST_LONG"] === "1" ? 100 : 8;

describeEachServer("what came apart is brought together", (server) => {
  let database: TestDatabase;
  let rigs: PipelineRig[];
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rigs = [createPipelineRig(database.url), createPipelineRig(database.url)];
  });
  afterEach(() => empty());
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await database[Symbol.asyncDispose]();
  });
  const empty = async (): Promise<void> => {
    await rigs[0]!.sql`TRUNCATE spans, generation_logs, generation_twins, generation_attempts, log_records, image_traces, outputs, blobs`;
  };
  const settle = async (): Promise<void> => {
    for (const rig of rigs) await rig.refiner.settled();
  };
  const calls = () => rigs[0]!.sql`SELECT * FROM generation_logs ORDER BY start_time, span_id`;
  const attempts = () => rigs[0]!.sql`SELECT * FROM generation_attempts ORDER BY start_time, span_id, attempt_number`;

  /** Everything that users see, without the times of arrival. */
  async function state(): Promise<unknown> {
    const { sql } = rigs[0]!;
    const [counted, twins, tries] = [
      await calls(),
      await sql`SELECT * FROM generation_twins ORDER BY start_time, span_id`,
      await attempts(),
    ];
    const without = (rows: readonly Record<string, unknown>[]) =>
      rows.map(({ received_at: _received, updated_at: _updated, ...row }) => row);
    const images = await sql`SELECT * FROM image_traces ORDER BY id`;
    return { counted: without(counted), twins: without(twins), attempts: without(tries), images: without(images) };
  }

  async function sendAll(parts: readonly Part[]): Promise<void> {
    for (const part of parts) expect((await rigs[0]!.send(part.body, part.signal)).kind).toBe("accepted");
    await settle();
  }

  /** Any order and any repetition, through either collector, ends in the same rows. */
  async function expectOrderIndependent(parts: readonly Part[]): Promise<void> {
    await empty();
    await sendAll(parts);
    const expected = await state();
    const order = fc.array(fc.record({ part: fc.nat({ max: parts.length - 1 }), rig: fc.nat({ max: 1 }) }), { maxLength: 4 });
    const permutation = fc.shuffledSubarray([...parts.keys()], { minLength: parts.length, maxLength: parts.length });
    await fc.assert(
      fc.asyncProperty(permutation, order, fc.nat({ max: 1 }), async (sequence, repeats, start) => {
        await empty();
        for (const [i, index] of sequence.entries()) await rigs[(i + start) % 2]!.send(parts[index]!.body, parts[index]!.signal);
        for (const { part, rig } of repeats) await rigs[rig]!.send(parts[part]!.body, parts[part]!.signal);
        await settle();
        await sweepBoth();
        expect(await state()).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  }

  const sweepBoth = async (): Promise<void> => {
    for (const rig of rigs) await rig.refiner.sweep();
    await settle();
  };

  describe("folding", () => {
    const outer = {
      id: "outer",
      tookMs: 120,
      attributes: {
        ...chat,
        ...usage(631, 35),
        "gen_ai.response.id": "r1",
        "gen_ai.input.messages": prompt,
        "gen_ai.output.messages": answer,
      },
    };
    const inner = {
      id: "inner",
      parent: "outer",
      at: 5,
      tookMs: 100,
      attributes: { ...chat, ...usage(631, 35), "gen_ai.response.id": "r1" },
    };

    it("counts a call seen by two instrumentations once, with the content of the one that has it", async () => {
      await sendAll([traces(tracesOf(inner)), traces(tracesOf(outer))]);
      const rows = await calls();
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        span_id: spanIdOf("inner"),
        tokens_prompt: "631",
        tokens_completion: "35",
        prompt_full_text: prompt,
        response_full_text: answer,
        content_state: "captured",
      });
      const [twin] = await rigs[0]!.sql`SELECT span_id, survivor_span_id, prompt_full_text FROM generation_twins`;
      expect(twin).toEqual({ span_id: spanIdOf("outer"), survivor_span_id: spanIdOf("inner"), prompt_full_text: prompt });
    });

    it("comes out the same in any order, repeated, and through two collectors", { timeout: 120_000 }, async () => {
      const sibling = { id: "again", at: 300, attributes: { ...chat, ...usage(10, 2), "gen_ai.response.id": "r2" } };
      await expectOrderIndependent([traces(tracesOf(outer)), traces(tracesOf(inner)), traces(tracesOf(sibling))]);
    });

    it("keeps two calls below one call and sets their wrapper aside", async () => {
      const first = { id: "first", parent: "outer", at: 5, tookMs: 20, attributes: { ...chat, ...usage(300, 20) } };
      const second = { id: "second", parent: "outer", at: 40, tookMs: 20, attributes: { ...chat, ...usage(331, 15) } };
      await sendAll([traces(tracesOf(outer, first, second))]);
      const rows = await calls();
      expect(rows.map((row) => row["span_id"])).toEqual([spanIdOf("first"), spanIdOf("second")]);
      expect(rows.map((row) => Number(row["tokens_total"]))).toEqual([320, 346]);
    });

    describe("of calls with other spans between them", () => {
      const told = { ...chat, ...usage(631, 35) };
      const around = { id: "around", tookMs: 100, attributes: { ...told, "gen_ai.input.messages": prompt } };
      const between = { id: "between", parent: "around", at: 2, tookMs: 96, attributes: {} };
      const within = { id: "within", parent: "between", at: 5, tookMs: 80, attributes: told };
      const rows = async () => (await calls()).map((row) => [row["span_id"], row["tokens_prompt"]]);

      it("counts one of two that tell the same, in any order, through two collectors", { timeout: 120_000 }, async () => {
        await expectOrderIndependent([within, between, around].map((span) => traces(tracesOf(span))));
        expect(await calls()).toMatchObject([{ span_id: spanIdOf("within"), tokens_prompt: "631", prompt_full_text: prompt }]);
      });

      it.each<[string, object]>([
        ["a tool", { attributes: { "gen_ai.operation.name": "execute_tool" } }],
        ["a tool of OpenInference", { attributes: { "openinference.span.kind": "TOOL" } }],
        ["a tool by its name alone", { name: "execute_tool search" }],
        ["an agent", { attributes: { "gen_ai.operation.name": "invoke_agent" } }],
        ["an agent of Traceloop", { attributes: { "traceloop.span.kind": "agent" } }],
        ["a tool of the AI SDK", { attributes: { "ai.operationId": "ai.toolCall" } }],
        ["a server of tools", { attributes: { "mcp.method.name": "tools/call" } }],
      ])("counts both where %s stands between them", async (_, more) => {
        await sendAll([traces(tracesOf(around, { ...between, ...more }, within))]);
        expect(await rows()).toEqual([
          [spanIdOf("around"), "631"],
          [spanIdOf("within"), "631"],
        ]);
      });

      it("counts both that tell other tokens, other models or other answers", async () => {
        const others = [usage(10, 5), { "gen_ai.request.model": "o3" }, { "gen_ai.response.id": "r2" }];
        for (const other of others) {
          await empty();
          const first = { ...around, attributes: { ...around.attributes, "gen_ai.response.id": "r1" } };
          await sendAll([traces(tracesOf(first, between, { ...within, attributes: { ...told, ...other } }))]);
          expect(await calls()).toHaveLength(2);
        }
      });

      it("counts one where only one of them tells of tokens and the other takes most of its time", async () => {
        await sendAll([traces(tracesOf({ ...around, attributes: chat }, between, within))]);
        expect(await rows()).toEqual([[spanIdOf("within"), "631"]]);
        await empty();
        await sendAll([traces(tracesOf(around, between, { ...within, attributes: chat }))]);
        expect(await rows()).toEqual([[spanIdOf("within"), "631"]]);
        await empty();
        await sendAll([traces(tracesOf(around, between, { ...within, tookMs: 20, attributes: chat }))]);
        expect(await calls()).toHaveLength(2);
      });

      it("sets one aside that tells the sum of those within, and none that tells of more", async () => {
        const steps = (first: number) => [
          { id: "step1", parent: "around", at: 1, tookMs: 40, attributes: {} },
          { id: "chat1", parent: "step1", at: 2, tookMs: 30, attributes: { ...chat, ...usage(first, 20) } },
          { id: "step2", parent: "around", at: 50, tookMs: 40, attributes: {} },
          { id: "chat2", parent: "step2", at: 51, tookMs: 30, attributes: { ...chat, ...usage(331, 15) } },
        ];
        await sendAll([traces(tracesOf(around, ...steps(300)))]);
        expect(await rows()).toEqual([
          [spanIdOf("chat1"), "300"],
          [spanIdOf("chat2"), "331"],
        ]);
        await empty();
        await sendAll([traces(tracesOf(around, ...steps(10)))]);
        expect(await calls()).toHaveLength(3);
      });

      it("counts both that happen at once in one trace", async () => {
        const root = { id: "root", tookMs: 200, attributes: {} };
        const tasks = [1, 2].map((i) => ({ id: `task${i}`, parent: "root", tookMs: 150, attributes: {} }));
        const asked = [1, 2].map((i) => ({ id: `chat${i}`, parent: `task${i}`, at: i, tookMs: 100 - 10 * i, attributes: told }));
        await sendAll([traces(tracesOf(...asked)), traces(tracesOf(...tasks)), traces(tracesOf(root))]);
        expect(await calls()).toHaveLength(2);
      });
    });

    describe("agents with usage", () => {
      const agent = {
        id: "agent",
        tookMs: 500,
        attributes: {
          "gen_ai.operation.name": "invoke_agent",
          "gen_ai.request.model": "gpt-4o",
          "gen_ai.provider.name": "openai",
          ...usage(631, 35),
          "gen_ai.input.messages": prompt,
          "gen_ai.output.messages": answer,
        },
      };
      const flow = { id: "flow", tookMs: 900, attributes: { "gen_ai.operation.name": "invoke_workflow", ...usage(631, 35) } };
      const step = { id: "step", parent: "agent", at: 5, tookMs: 200, attributes: {} };
      const told = { id: "told", parent: "step", at: 10, tookMs: 100, attributes: { ...chat, ...usage(631, 35) } };
      const untold = { id: "untold", parent: "step", at: 150, tookMs: 20, attributes: chat };
      const counts = async () =>
        (await calls()).map((row) => [row["span_id"], row["tokens_prompt"] === null ? null : Number(row["tokens_prompt"])]);

      it("count where nothing below them tells of usage, with what was said to them", async () => {
        await sendAll([traces(tracesOf(agent))]);
        expect(await calls()).toMatchObject([
          {
            span_id: spanIdOf("agent"),
            operation_name: "invoke_agent",
            tokens_prompt: "631",
            tokens_completion: "35",
            cost_source: "computed",
            prompt_full_text: prompt,
            response_full_text: answer,
            prompt_format: "messages",
            content_state: "captured",
            additional_metadata: { usage_of_wrapper: true },
          },
        ]);
        expect(await rigs[0]!.sql`SELECT attributes ->> 'gen_ai.input.messages' AS said FROM spans`).toEqual([{ said: prompt }]);
      });

      it("count beside calls below them that tell of none, and give way as soon as one does, through whichever collector", async () => {
        await sendAll([traces(tracesOf(agent, step, untold))]);
        expect(await counts()).toEqual([
          [spanIdOf("agent"), 631],
          [spanIdOf("untold"), null],
        ]);
        await rigs[1]!.send(tracesOf(told), "traces");
        await rigs[0]!.refiner.sweep();
        await settle();
        expect(await counts()).toEqual([
          [spanIdOf("told"), 631],
          [spanIdOf("untold"), null],
        ]);
        const aside = await rigs[0]!.sql`SELECT span_id, prompt_full_text, content_state, filled_from, own_values FROM generation_twins`;
        expect(aside).toEqual([
          { span_id: spanIdOf("agent"), prompt_full_text: null, content_state: "absent", filled_from: null, own_values: null },
        ]);
      });

      it("of several within each other the outermost counts", async () => {
        await sendAll([traces(tracesOf({ ...agent, parent: "flow" })), traces(tracesOf(flow)), traces(tracesOf(step, untold))]);
        expect(await counts()).toEqual([
          [spanIdOf("flow"), 631],
          [spanIdOf("untold"), null],
        ]);
      });

      it("count not beside a call that was sent without its place, or of which the place is still missing", async () => {
        const { parent: _lost, ...beside } = told;
        await sendAll([traces(tracesOf(agent)), traces(tracesOf(beside))]);
        expect(await counts()).toEqual([[spanIdOf("told"), 631]]);
        await empty();
        await sendAll([traces(tracesOf(told)), traces(tracesOf(agent))]);
        expect(await counts()).toEqual([[spanIdOf("told"), 631]]);
      });

      it("count after all when a late span says that the call within their time is none of theirs", async () => {
        const elsewhere = { id: "step", parent: "other", at: 5, tookMs: 200, attributes: {} };
        await sendAll([traces(tracesOf(agent, told))]);
        expect(await counts()).toEqual([[spanIdOf("told"), 631]]);
        await rigs[1]!.send(tracesOf(elsewhere, { id: "other", tookMs: 300, attributes: {} }), "traces");
        await rigs[0]!.refiner.sweep();
        await settle();
        expect(await counts()).toEqual([
          [spanIdOf("agent"), 631],
          [spanIdOf("told"), 631],
        ]);
      });

      it("count once where their parents are told in a circle", async () => {
        await sendAll([traces(tracesOf({ ...agent, parent: "flow" }, { ...flow, parent: "agent" }, { ...step, parent: "step" }))]);
        expect(await counts()).toEqual([[spanIdOf("agent"), 631]]);
      });

      it("say that their content was taken out on its way", async () => {
        const attributes = { ...agent.attributes, "gen_ai.input.messages": "gone", "gen_ai.output.messages": "gone" };
        const body = JSON.stringify(tracesOf({ ...agent, attributes })).replaceAll('{"stringValue":"gone"}', "{}");
        await sendAll([traces(JSON.parse(body) as object)]);
        expect(await calls()).toMatchObject([{ tokens_prompt: "631", prompt_full_text: null, content_state: "redacted" }]);
      });

      it("end in the same rows in any order, repeated, and through two collectors", { timeout: 120_000 }, async () => {
        const parts = [{ ...agent, parent: "flow" }, flow, step, told, untold].map((each) => traces(tracesOf(each)));
        await expectOrderIndependent(parts);
        expect(await counts()).toEqual([
          [spanIdOf("told"), 631],
          [spanIdOf("untold"), null],
        ]);
      });
    });

    it("keeps an embedding below a chat as a call of its own", async () => {
      const embedding = {
        id: "embed",
        parent: "outer",
        attributes: { "gen_ai.operation.name": "embeddings", "gen_ai.request.model": "text-embedding-3", ...usage(12, 0) },
      };
      await sendAll([traces(tracesOf(outer, embedding))]);
      expect(await calls()).toHaveLength(2);
    });

    it("does not fold siblings that are two calls of one model", async () => {
      const one = { id: "one", parent: "agent", attributes: { ...chat, ...usage(1, 1) } };
      const two = { id: "two", parent: "agent", at: 200, attributes: { ...chat, ...usage(2, 2) } };
      await sendAll([traces(tracesOf(one, two))]);
      expect(await calls()).toHaveLength(2);
    });
  });

  describe("log events", () => {
    const call = { id: "call", attributes: { ...chat, ...usage(8, 3), "gen_ai.response.finish_reasons": ["stop"] } };
    const user = logsOf({ span: "call", name: "gen_ai.user.message", at: 1, body: { content: "Hi" } });
    const system = logsOf({ span: "call", name: "gen_ai.system.message", at: 0, body: { content: "Be kind" } });
    const choice = logsOf({
      span: "call",
      name: "gen_ai.choice",
      at: 90,
      body: { index: 0, finish_reason: "stop", message: { content: "Hello" } },
    });

    it("one event per message become prompt and response of their call, in any order", { timeout: 120_000 }, async () => {
      await expectOrderIndependent([logs(choice), traces(tracesOf(call)), logs(user), logs(system)]);
      const [row] = await calls();
      expect(JSON.parse(String(row?.["prompt_full_text"]))).toEqual([
        { role: "system", parts: [{ type: "text", content: "Be kind" }] },
        { role: "user", parts: [{ type: "text", content: "Hi" }] },
      ]);
      expect(JSON.parse(String(row?.["response_full_text"]))).toEqual([
        { role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" },
      ]);
      expect(row).toMatchObject({ prompt_format: "messages", content_state: "captured" });
    });

    it("the recorded OpenAI client's prompt and answer reach the row, whichever arrives first", async () => {
      const [span, log] = [recording("otel-openai", "chat").body, recording("otel-openai", "chat.2").body];
      await sendAll([logs(log), traces(span)]);
      const first = await state();
      await empty();
      await sendAll([traces(span), logs(log)]);
      expect(await state()).toEqual(first);
      const [row] = await calls();
      expect(row).toMatchObject({ prompt_format: "messages", response_format: "messages", content_state: "captured" });
      expect(JSON.parse(String(row?.["prompt_full_text"])).map(({ role }: { role: string }) => role)).toContain("user");
    });

    it("one event with everything in structured attributes does the same", async () => {
      const [span, log] = [recording("otel-openai", "responses").body, recording("otel-openai", "responses.2").body];
      await sendAll([logs(log), traces(span)]);
      const [row] = await calls();
      expect(row).toMatchObject({ prompt_format: "messages", response_format: "messages", content_state: "captured" });
    });

    it("what the span said itself stays", async () => {
      const told = { id: "call", attributes: { ...chat, "gen_ai.input.messages": prompt } };
      await sendAll([traces(tracesOf(told)), logs(user)]);
      expect((await calls())[0]).toMatchObject({ prompt_full_text: prompt });
    });
  });

  describe("attempts", () => {
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
  });

  describe("images", () => {
    const image = (attributes: Record<string, string>) => ({
      "genspan.image.id": "123e4567-e89b-12d3-a456-426614174000",
      "genspan.image.request": JSON.stringify({ numberOfImages: 1, prompts: [{ prompt: "A cat" }] }),
      "genspan.entity.type": "lesson",
      "genspan.entity.id": "lesson-123",
      ...attributes,
    });
    const announced = { id: "pend", parent: "image", at: 0, tookMs: 0, attributes: image({ "genspan.record": "pending" }) };
    const attempt = (id: string, number: number, at: number, success: boolean) => ({
      id,
      parent: "image",
      at,
      tookMs: 80,
      attributes: {
        "genspan.record": "attempt",
        "genspan.attempt.number": number,
        "genspan.attempt.outcome": success ? "success" : "failed",
        "gen_ai.request.model": `model-${number}`,
        "genspan.image.request": JSON.stringify({ prompt: "A cat", model: `model-${number}` }),
        "genspan.image.response": JSON.stringify(success ? { success, dataSize: 212272 } : { success, error: "overloaded" }),
      },
    });
    const ended = {
      id: "image",
      at: 0,
      tookMs: 200,
      attributes: image({ "genspan.record": "image", "genspan.image.response": JSON.stringify({ generatedImagesCount: 1 }) }),
    };

    it("an announced image is a started trace and no model call", async () => {
      await sendAll([traces(tracesOf(announced))]);
      expect(await calls()).toEqual([]);
      expect(await rigs[0]!.sql`SELECT status, lesson_id, completed_at, request_data FROM image_traces`).toEqual([
        {
          status: "started",
          lesson_id: "lesson-123",
          completed_at: null,
          request_data: { numberOfImages: 1, prompts: [{ prompt: "A cat" }] },
        },
      ]);
    });

    it("announcement, attempts and end become one trace with every attempt, in any order", { timeout: 120_000 }, async () => {
      await expectOrderIndependent([
        traces(tracesOf(attempt("try2", 2, 90, true))),
        traces(tracesOf(ended)),
        traces(tracesOf(attempt("try1", 1, 5, false))),
        traces(tracesOf(announced)),
      ]);
      const [row] = await rigs[0]!.sql`SELECT * FROM image_traces`;
      expect(row).toMatchObject({
        id: "123e4567-e89b-12d3-a456-426614174000",
        lesson_id: "lesson-123",
        status: "completed",
        models_tried: ["model-1", "model-2"],
        model_used: "model-2",
        total_duration_ms: 200,
        response_data: { generatedImagesCount: 1 },
        image_generation_attempts: [
          { model: "model-1", prompt: "A cat", success: false, error: "overloaded", duration_ms: 80 },
          { model: "model-2", prompt: "A cat", success: true, response: { success: true, dataSize: 212272 } },
        ],
      });
    });

    it("a call that makes images is an image trace by itself, its bytes stored apart", async () => {
      const bytes = Buffer.from("picture");
      const response = [
        { role: "assistant", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: bytes.toString("base64") }] },
      ];
      const call = {
        id: "draw",
        attributes: {
          "gen_ai.operation.name": "image_generation",
          "gen_ai.request.model": "gpt-image-1",
          "gen_ai.input.messages": prompt,
          "gen_ai.output.messages": JSON.stringify(response),
        },
      };
      await sendAll([traces(tracesOf(call))]);
      const [row] = await rigs[0]!.sql`SELECT * FROM image_traces`;
      expect(row).toMatchObject({
        status: "completed",
        model_used: "gpt-image-1",
        models_tried: ["gpt-image-1"],
        image_generation_attempts: [{ model: "gpt-image-1", prompt: "Hi", success: true }],
      });
      expect(JSON.stringify(row?.["response_data"])).toContain("genspan-blob:");
      expect(await rigs[0]!.sql`SELECT content FROM blobs`).toEqual([{ content: bytes }]);
    });
  });

  describe("pending and late records", () => {
    const final = { id: "call", at: 0, tookMs: 500, attributes: { ...chat, ...usage(4, 2), "gen_ai.input.messages": prompt } };
    const pending = {
      id: "pend",
      parent: "call",
      at: 0,
      tookMs: 0,
      attributes: { ...chat, "genspan.record": "pending", "gen_ai.input.messages": prompt },
    };

    it("a pending record alone is a pending row; with its final span, in any order, there is one finished row", {
      timeout: 120_000,
    }, async () => {
      await sendAll([traces(tracesOf(pending))]);
      expect(await calls()).toMatchObject([
        { span_id: spanIdOf("call"), generation_status: "pending", prompt_full_text: prompt, end_time: null },
      ]);
      await expectOrderIndependent([traces(tracesOf(pending)), traces(tracesOf(final))]);
      expect(await calls()).toMatchObject([{ span_id: spanIdOf("call"), generation_status: "success", tokens_prompt: "4" }]);
    });

    it("events and updates that came while the call was pending survive its end", { timeout: 120_000 }, async () => {
      const bare = { ...final, attributes: { ...chat, ...usage(4, 2) } };
      await expectOrderIndependent([
        traces(tracesOf({ ...pending, attributes: { ...chat, "genspan.record": "pending" } })),
        logs(logsOf({ span: "call", name: "gen_ai.user.message", at: 1, body: { content: "Hi" } })),
        traces(
          tracesOf({ id: "u1", parent: "call", at: 50, tookMs: 0, attributes: { "genspan.record": "update", "genspan.item.id": "i1" } }),
        ),
        traces(tracesOf(bare)),
      ]);
      expect(await calls()).toMatchObject([{ generation_status: "success", item_id: "i1", prompt_format: "messages", tokens_prompt: "4" }]);
    });

    it("the latest update of each kind wins, wherever it stands in the order of arrival", { timeout: 120_000 }, async () => {
      const update = (id: string, at: number, attributes: Record<string, string | number>) => ({
        id,
        parent: "call",
        at,
        tookMs: 0,
        attributes: { "genspan.record": "update", ...attributes },
      });
      await expectOrderIndependent([
        traces(
          tracesOf(
            update("u1", 1000, { "genspan.entity.type": "problem", "genspan.entity.id": "7", "genspan.quality.status": "pending_review" }),
          ),
        ),
        traces(tracesOf(final)),
        traces(tracesOf(update("u2", 2000, { "genspan.quality.status": "approved", "genspan.quality.score": 0.9 }))),
      ]);
      expect(await calls()).toMatchObject([{ entity_type: "problem", entity_id: "7", quality_status: "approved", quality_score: 0.9 }]);
    });
  });
});
