import { describe, expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { answer, chat, prompt, traces, usage, useRefinementSuite } from "../support/refinement-suite.ts";

describeEachServer("one call that several spans tell", (server) => {
  const { rig, empty, settle, calls, sendAll, expectOrderIndependent } = useRefinementSuite(server);

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
    const [twin] = await rig().sql`SELECT span_id, survivor_span_id, prompt_full_text FROM generation_twins`;
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

    it("counts one of a call of ours whose tries an instrumentation tells, with its tries, in any order", {
      timeout: 120_000,
    }, async () => {
      const attempt = (number: number, outcome: string) => ({
        id: `try${number}`,
        parent: "around",
        at: number * 20,
        tookMs: 18,
        attributes: { "genspan.record": "attempt", "genspan.attempt.number": number, "genspan.attempt.outcome": outcome },
      });
      const client = (number: number, more: object) => ({
        id: `chat${number}`,
        parent: `try${number}`,
        at: number * 20 + 1,
        tookMs: 15,
        ...more,
      });
      await expectOrderIndependent([
        traces(tracesOf(around)),
        traces(tracesOf(attempt(1, "429"), attempt(2, "success"))),
        traces(tracesOf(client(1, { attributes: chat, error: "busy" }))),
        traces(tracesOf(client(2, { attributes: told }))),
      ]);
      expect(await calls()).toMatchObject([
        { span_id: spanIdOf("chat2"), generation_status: "success", tokens_prompt: "631", attempts_count: 2 },
      ]);
      await empty();
      const untold = { ...around, attributes: chat };
      await sendAll([
        traces(
          tracesOf(untold, attempt(1, "429"), attempt(2, "success"), client(1, { attributes: told }), client(2, { attributes: told })),
        ),
      ]);
      expect((await calls()).reduce((sum, row) => sum + Number(row["tokens_prompt"] ?? 0), 0)).toBe(1262);
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
      expect(await rig().sql`SELECT attributes ->> 'gen_ai.input.messages' AS said FROM spans`).toEqual([{ said: prompt }]);
    });

    it("count beside calls below them that tell of none, and give way as soon as one does, through whichever collector", async () => {
      await sendAll([traces(tracesOf(agent, step, untold))]);
      expect(await counts()).toEqual([
        [spanIdOf("agent"), 631],
        [spanIdOf("untold"), null],
      ]);
      await rig(1).send(tracesOf(told), "traces");
      await rig().refiner.sweep();
      await settle();
      expect(await counts()).toEqual([
        [spanIdOf("told"), 631],
        [spanIdOf("untold"), null],
      ]);
      const aside = await rig().sql`SELECT span_id, prompt_full_text, content_state, filled_from, own_values FROM generation_twins`;
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
      await rig(1).send(tracesOf(elsewhere, { id: "other", tookMs: 300, attributes: {} }), "traces");
      await rig().refiner.sweep();
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
