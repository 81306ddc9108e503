import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";
import { keyValue, lengthField, tracesRequest } from "../support/wire-builder.ts";

// Put together here, so that no scanner takes this file for a leak.
const CANARY = `AKIA${"IOSFODNN7EXAMPLE"}`;

describeEachServer("a secret that was sent", (server) => {
  const rig = usePipelineRig(server);

  it("RED-01 stands in no table: not in spans, calls, events, logs, scores, resources or refused items", async () => {
    const content = JSON.stringify([{ role: "user", parts: [{ type: "text", content: `use ${CANARY} please` }] }]);
    const call = {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "m",
      "gen_ai.input.messages": content,
      "gen_ai.usage.input_tokens": 13,
    };
    const span = {
      id: "call",
      error: `denied for ${CANARY}`,
      attributes: { ...call, nested: [{ deep: [CANARY] }] },
      events: [{ name: "note", attributes: { text: CANARY } }],
    };
    expect((await rig.send(tracesOf(span))).kind).toBe("accepted");
    const body = { content: `again ${CANARY}` };
    expect((await rig.send(logsOf({ span: "call", name: "gen_ai.user.message", body }), "logs")).kind).toBe("accepted");
    const evaluation = { "gen_ai.evaluation.name": "e", "gen_ai.evaluation.explanation": CANARY };
    expect((await rig.send(logsOf({ span: "call", name: "gen_ai.evaluation.result", attributes: evaluation }), "logs")).kind).toBe(
      "accepted",
    );
    const withoutIds = tracesRequest([lengthField(9, keyValue("k", lengthField(1, CANARY)))]);
    expect((await rig.send(withoutIds)).kind).toBe("partial");
    await rig.refiner.settled();

    const tables = await rig.sql`SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind = 'r'`;
    let rows = 0;
    for (const { name } of tables) {
      const [found] = await rig.sql`
        SELECT count(*)::int AS rows, count(*) FILTER (WHERE strpos(t::text, ${CANARY}) > 0
          OR strpos(t::text, ${Buffer.from(CANARY).toString("hex")}) > 0)::int AS leaks FROM ${rig.sql(name as string)} t`;
      expect([name, found?.["leaks"]]).toEqual([name, 0]);
      rows += Number(found?.["rows"]);
    }
    expect(rows).toBeGreaterThan(5);
    const [kept] = await rig.sql`SELECT prompt_full_text, tokens_prompt FROM generation_logs`;
    expect(kept?.["tokens_prompt"]).toBe("13");
    expect(kept?.["prompt_full_text"]).toContain("use [aws]");
  });
});
