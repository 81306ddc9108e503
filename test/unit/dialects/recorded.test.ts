import { describe, expect, it } from "vitest";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recording } from "../../support/recordings.ts";

type Row = Record<string, unknown>;

const callsOf = (client: string, name: string): Row[] => rowsFromTraces(recording(client, name).body).generations;
describe("Logfire", () => {
  it("spans that are no model calls make no rows, pending or not", () => {
    for (const name of ["pending", "pending.2", "log-error"]) expect(callsOf("logfire", name)).toEqual([]);
  });
});

describe("a span of Logfire that speaks of a model", () => {
  it("is announced and then ended under one key", () => {
    const calls = callsOf("logfire", "span-callback");
    expect(calls.map((call) => call["generation_status"])).toEqual(["pending", "success"]);
    expect(calls[0]?.["span_id"]).toBe(calls[1]?.["span_id"]);
    expect(calls[0]?.["start_time"]).toEqual(calls[1]?.["start_time"]);
    expect(calls[0]?.["parent_span_id"]).toBeNull();
  });
});
