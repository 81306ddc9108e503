import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { generate } from "../../../sdk/generation/generate.ts";
import { reviewRecord } from "../../../sdk/generation/references.ts";
import { startItem, startProblemTrace } from "../../../sdk/items/item.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

let rig: SdkRig;
let tracing: Tracing;
beforeAll(async () => {
  rig = await startSdkRig();
  tracing = rig.trace({ serviceName: "quiz", environment: "staging" });
});
afterAll(async () => {
  await tracing?.shutdown();
  await rig?.[Symbol.asyncDispose]();
});

const answer = (text: string) => ({ text, responseId: `r-${text}`, reasoning: "because", usage: { input: 10, output: 5, reasoning: 3 } });

describe("an item", () => {
  it("has the sums that its own toJSON gives, sentence by sentence", async () => {
    const trace = startProblemTrace({ title: "Articles", promptVersion: "2.0", metadata: { level: "A2" } });
    for (const text of ["der", "die", "das"]) {
      await trace.generate(
        { model: "gpt-5-nano", prompt: { name: "sentence", text: `write ${text}` } },
        async () => answer(text),
        (given) => given,
      );
    }
    trace.quality({ status: "pending_review", issues: ["check"] });
    trace.complete();
    await tracing.flush();
    const { sentences, metadata, quality_issues, ...totals } = trace.toJSON();
    await rig.rows(
      `SELECT model, prompt_version, total_input_tokens::int, total_output_tokens::int, total_reasoning_tokens::int, total_tokens::int, quality_status,
         quality_issues, generation_trace -> 'metadata' AS metadata, generations_count, kind, title, environment
       FROM generation_items WHERE id = '${trace.id}'`,
      [{ ...totals, quality_issues, metadata, generations_count: 3, kind: "problem", title: "Articles", environment: "staging" }],
    );
    await rig.rows(
      `SELECT s -> 'index' AS index, s ->> 'generation_id' AS generation_id, s ->> 'response_id' AS response_id, s -> 'total_tokens' AS total_tokens,
         s ->> 'status' AS status, g.prompt_full_text AS prompt_text, g.response_full_text LIKE '%' || substr(s ->> 'response_id', 3) || '%' AS answered, g.reasoning_content
       FROM generation_items i, jsonb_array_elements(i.generation_trace -> 'sentences') AS s, generation_logs g
       WHERE i.id = '${trace.id}' AND g.id = s ->> 'generation_id' ORDER BY s -> 'index'`,
      sentences.map(({ index, generation_id, response_id, total_tokens, status, prompt_text, reasoning_content }) => ({
        index,
        generation_id,
        response_id,
        total_tokens,
        status,
        prompt_text,
        answered: true,
        reasoning_content,
      })),
    );
  });

  it("is judged and tied later, by itself or by its reference from anywhere", async () => {
    const trace = startItem({ kind: "lesson" });
    await trace.generate(
      { model: "m" },
      async () => answer("x"),
      (given) => given,
    );
    trace.complete();
    trace.link({ type: "lesson", id: 12 });
    await tracing.flush();
    reviewRecord(trace.ref, { status: "approved", by: "anna" });
    await tracing.flush();
    await rig.rows(`SELECT kind, entity_type, entity_id, quality_status FROM generation_items WHERE id = '${trace.id}'`, [
      { kind: "lesson", entity_type: "lesson", entity_id: "12", quality_status: "approved" },
    ]);
  });

  it("that failed keeps its generations, the failed ones among them", async () => {
    const trace = startProblemTrace({ title: "Verbs" });
    await expect(trace.generate({ model: "m" }, () => Promise.reject(new Error("overloaded")))).rejects.toThrow("overloaded");
    trace.fail(new Error("no sentence could be written"));
    await tracing.flush();
    await rig.rows(
      `SELECT i.status, i.error_message, i.generations_count, g.generation_status, g.error_message AS why
       FROM generation_items i JOIN generation_logs g ON g.item_id = i.item_id WHERE i.id = '${trace.id}'`,
      [
        {
          status: "failed",
          error_message: "no sentence could be written",
          generations_count: 1,
          generation_status: "failed",
          why: "overloaded",
        },
      ],
    );
  });

  it("that is abandoned has failed", async () => {
    const trace = startItem();
    {
      using _scope = trace;
    }
    await tracing.flush();
    await rig.rows(`SELECT status, error_message FROM generation_items WHERE id = '${trace.id}'`, [
      { status: "failed", error_message: "abandoned: the item was neither completed nor failed" },
    ]);
  });

  it("belongs to the run it is made in, with what is generated in it by other means", async () => {
    const run = new RunReporter().start({ requested: 1, kind: "problems" });
    const trace = await run.within(async () => {
      const item = startItem({ kind: "problem" });
      await item.run(() =>
        generate(
          { model: "m" },
          async () => answer("y"),
          (given) => given,
        ),
      );
      item.complete();
      return item;
    });
    run.inserted();
    await run.finish();
    await rig.rows(
      `SELECT i.run_id, i.generations_count, g.run_id AS of_generation, r.status
       FROM generation_items i JOIN generation_logs g ON g.item_id = i.item_id JOIN generation_runs r ON r.id::text = i.run_id WHERE i.id = '${trace.id}'`,
      [{ run_id: run.id, generations_count: 1, of_generation: run.id, status: "success" }],
    );
  });
});
