import fc from "fast-check";
import type { SpanSpec } from "./otlp-json.ts";
import { http, usage } from "./refinement-suite.ts";

/** Few names, numbers and times, so that spans meet: below each other, with the same tokens, one around another, with parents that are missing. */
const names = ["a", "b", "c", "d", "e"];
const spanShape = fc.record({
  parent: fc.constantFrom(...names, "root", "missing", undefined),
  at: fc.constantFrom(0, 100, 200, 5_000),
  tookMs: fc.constantFrom(50, 150, 6_000),
  error: fc.constantFrom(undefined, undefined, undefined, undefined, "no answer"),
  attributes: fc.oneof(
    { weight: 6, arbitrary: callAttributes() },
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(http(200), { "genspan.record": "attempt" }, { "gen_ai.operation.name": "invoke_agent", ...usage(7, 7) }),
    },
  ),
  kind: fc.constantFrom(1, 3),
});
/** Spans of one trace below a root, of which few or many are calls. */
export const traceShape: fc.Arbitrary<SpanSpec[]> = fc
  .array(spanShape, { minLength: 1, maxLength: names.length })
  .map((spans) => [{ id: "root", tookMs: 9_000 }, ...spans.map((span, i) => asSpec(names[i]!, span))]);

function asSpec(id: string, { parent, error, ...rest }: typeof spanShape extends fc.Arbitrary<infer T> ? T : never): SpanSpec {
  return { id, ...rest, ...(parent === undefined || parent === id ? {} : { parent }), ...(error === undefined ? {} : { error }) };
}

function callAttributes() {
  return fc
    .record({
      operation: fc.constantFrom("chat", "chat", "chat", "embeddings", "image_generation"),
      model: fc.constantFrom("gpt-4o", "gpt-4o-2024-08-06", "claude-4"),
      tokens: fc.constantFrom(undefined, [10, 1], [20, 2], [30, 3], [40, 5]),
      response: fc.constantFrom(undefined, undefined, undefined, "r1", "r2", "r3"),
    })
    .map(({ operation, model, tokens, response }) => ({
      "gen_ai.operation.name": operation,
      "gen_ai.request.model": model,
      "gen_ai.provider.name": "openai",
      ...(tokens === undefined ? {} : usage(tokens[0]!, tokens[1]!)),
      ...(response === undefined ? {} : { "gen_ai.response.id": response }),
    }));
}
