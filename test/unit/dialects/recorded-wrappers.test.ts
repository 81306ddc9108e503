import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { CallFacts } from "../../../collector/refinement/facts.ts";
import { foldCalls } from "../../../collector/refinement/fold.ts";
import { rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { callFactsOf } from "./call-facts.ts";

const CLIENTS = new URL("../../fixtures/clients/", import.meta.url);
const clients = readdirSync(CLIENTS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** One recorded body as a whole trace: its wrappers with usage, and those of them that count. */
function wrappersIn(body: Buffer) {
  const { spans, generations, request } = rowsFromTraces(body);
  const parents = new Map(spans.map((span) => [String(span["span_id"]), String(span["parent_span_id"] ?? "")]));
  const calls: CallFacts[] = [...generations, ...rowsOf(request, "generation_twins")].map(callFactsOf);
  const counted = foldCalls(calls, { parents, apart: new Set(), tries: new Set() }).counted.map(({ call }) => call);
  return { all: calls.filter(({ wraps }) => wraps).length, counted: counted.filter(({ wraps }) => wraps) };
}

describe("wrappers with usage in recorded bodies", () => {
  const found = clients.flatMap((client) =>
    recordingsOf(client)
      .filter(({ path }) => path.endsWith("/v1/traces"))
      .map((each) => ({ name: `${client}/${each.name}`, contentType: each.contentType, body: each.body })),
  );
  const bodies = found.filter(({ contentType }) => contentType.includes("protobuf"));

  it("are there, and none of them counts beside the calls within it", () => {
    const wrapped = bodies.map(({ name, body }) => ({ name, ...wrappersIn(body) })).filter(({ all }) => all > 0);
    console.log(`${wrapped.length} of ${bodies.length} recorded bodies have wrappers with usage`);
    expect(wrapped.length).toBeGreaterThan(0);
    expect(wrapped.filter(({ counted }) => counted.length > 0).map(({ name }) => name)).toEqual([]);
  });
});
