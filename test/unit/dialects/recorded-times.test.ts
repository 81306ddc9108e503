import { expect, it } from "vitest";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recording } from "../../support/recordings.ts";

it("the AI SDK's time to the first token, which it tells in milliseconds, and the time of its answer are there", () => {
  const [row] = rowsFromTraces(recording("vercel-legacy", "streamText").body).generations;
  expect(row?.["time_to_first_token_ms"]).toBeCloseTo(10.085853, 5);
  expect(row?.["response_created_at"]).toBe(1_795_213_527);
});

it("a span of Logfire that speaks of a model is announced and then ended under one key", () => {
  const [pending, ended] = rowsFromTraces(recording("logfire", "span-callback").body).generations;
  expect([pending?.["generation_status"], ended?.["generation_status"]]).toEqual(["pending", "success"]);
  expect(pending?.["span_id"]).toBe(ended?.["span_id"]);
  expect(pending?.["start_time"]).toEqual(ended?.["start_time"]);
  expect(pending?.["parent_span_id"]).toBeNull();
});
