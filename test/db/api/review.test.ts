import { afterAll, beforeAll, expect, it } from "vitest";
import type { GenerationDetail } from "../../../collector/query/generations/one.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { generationId, idsOf, storeGenerations } from "../../support/generation-rows.ts";

const HOUR_MS = 3_600_000;

describeEachServer("judging model calls", (server) => {
  let rig: ApiRig;
  const now = Date.now();

  beforeAll(async () => {
    rig = await createApiRig(server);
    await storeGenerations(
      rig.owner,
      [5, 4, 3, 2, 24 * 40, 1].map((hours) => ({
        start_time: new Date(now - hours * HOUR_MS),
        quality_status: hours > 2 ? "pending_review" : null,
      })),
    );
    await storeGenerations(rig.owner, [{ project_id: 2, quality_status: "pending_review" }], 50);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const review = (n: number, body: object, headers: Record<string, string> = {}) =>
    rig.send<GenerationDetail>(`/api/generations/${generationId(n)}/review`, body, { headers });
  const stored = async (n: number) => {
    const [row] = await rig.owner`SELECT quality_status, quality_issues, quality_score, entity_type, entity_id FROM generation_logs
      WHERE project_id = 1 AND trace_id = ${idsOf(n).trace_id} AND span_id = ${idsOf(n).span_id}`;
    return row;
  };

  it("sets status and issues at once, in SQL and in the answer, with an entry in the audit log", async () => {
    const { status, body } = await review(1, {
      status: "rejected",
      issues: ["too_long", "wrong_language"],
      note: "see line 3",
      score: 0.2,
      reviewer: "Ada",
    });
    expect(status).toBe(200);
    const judged = { quality_status: "rejected", quality_issues: ["too_long", "wrong_language"], quality_score: 0.2 };
    expect(body).toMatchObject(judged);
    expect(await stored(1)).toMatchObject(judged);
    expect(body.scores).toMatchObject([
      { name: "review", value: 0.2, label: "rejected", explanation: "see line 3", source: "review", scored_by: "Ada" },
    ]);
    expect(body.history).toMatchObject([
      {
        actor: "local",
        action: "generation.review",
        details: { reviewer: "Ada", note: "see line 3", before: { quality_status: "pending_review" } },
      },
    ]);
  });

  it("can be taken back step by step, until nothing is left to take back", async () => {
    await review(2, { status: "approved" });
    await review(2, { status: "rejected", issues: ["style"] });
    const undo = () => rig.send<GenerationDetail>(`/api/generations/${generationId(2)}/review`, undefined, { method: "DELETE" });
    expect((await undo()).body).toMatchObject({ quality_status: "approved", quality_issues: null });
    expect((await undo()).body).toMatchObject({ quality_status: "pending_review", scores: [] });
    expect((await undo()).status).toBe(409);
    await review(4, { status: "approved" });
    expect(
      (await rig.send<GenerationDetail>(`/api/generations/${generationId(4)}/review`, undefined, { method: "DELETE" })).body,
    ).toMatchObject({ quality_status: null });
  });

  it("of two people at once is taken back one after the other", async () => {
    const judged = { approved: { status: "approved", score: 0.9 }, rejected: { status: "rejected", issues: ["style"] } };
    await Promise.all([review(6, { ...judged.approved, reviewer: "Ada" }), review(6, { ...judged.rejected, reviewer: "Bob" })]);
    const undo = () => rig.send(`/api/generations/${generationId(6)}/review`, undefined, { method: "DELETE" });
    const last = (await stored(6))!["quality_status"] as "approved" | "rejected";
    expect((await undo()).status).toBe(200);
    expect((await stored(6))!["quality_status"]).toBe(last === "approved" ? "rejected" : "approved");
    expect((await undo()).status).toBe(200);
    expect(await stored(6)).toMatchObject({ quality_status: null, quality_issues: null, quality_score: null });
  });

  it("wants a reason for a rejection, and known fields only", async () => {
    for (const body of [
      { status: "rejected" },
      { status: "rejected", note: "  " },
      { status: "maybe" },
      { status: "approved", verdict: 1 },
      {},
    ])
      expect([body, (await review(3, body)).status]).toEqual([body, 400]);
    expect(await stored(3)).toMatchObject({ quality_status: "pending_review" });
  });

  it("reaches a call of forty days ago", async () => {
    expect((await review(5, { status: "approved" })).body).toMatchObject({ quality_status: "approved" });
  });

  it("finds only calls of the asker's project", async () => {
    expect((await review(50, { status: "approved" })).status).toBe(404);
    const [other] = await rig.owner`SELECT quality_status FROM generation_logs WHERE project_id = 2`;
    expect(other).toEqual({ quality_status: "pending_review" });
  });

  it("outlives what else is told of the call afterwards", async () => {
    await review(6, { status: "approved" });
    const start = new Date(now - HOUR_MS);
    await rig.owner`INSERT INTO spans ${rig.owner({
      project_id: 1,
      trace_id: idsOf(6).trace_id,
      span_id: "00000000000000aa",
      parent_span_id: idsOf(6).span_id,
      start_time: start,
      start_nano: 0,
      name: "late update of an application",
      kind: 1,
      service_name: "quiz",
      status_code: 0,
      attributes: rig.owner.json({ "genspan.record": "update", "genspan.quality.status": "pending_review", "user.id": "u1" }),
      resource_id: "00000000-0000-0000-0000-000000000000",
      received_at: new Date(),
    })}`;
    await rig.services.refine({ projectId: 1, traceId: idsOf(6).trace_id, fromMillis: start.getTime(), toMillis: start.getTime() });
    const { body } = await rig.get<GenerationDetail>(`/api/generations/${generationId(6)}`);
    expect(body).toMatchObject({ quality_status: "approved", user_id: "u1" });
  });

  it("links a call to what it made, and takes the link back", async () => {
    const path = `/api/generations/${generationId(6)}/entity`;
    expect((await rig.send<GenerationDetail>(path, { type: "definitie", id: "456" }, { method: "PUT" })).body).toMatchObject({
      entity_type: "definitie",
      entity_id: "456",
    });
    expect(await stored(6)).toMatchObject({ entity_type: "definitie", entity_id: "456", quality_status: "approved" });
    expect((await rig.send<GenerationDetail>(path, undefined, { method: "DELETE" })).body).toMatchObject({
      entity_type: null,
      entity_id: null,
    });
    expect((await rig.send(path, { type: "definitie" }, { method: "PUT" })).status).toBe(400);
  });

  it("by the id of a telling that is not counted judges, links and shows the call that is", async () => {
    const twin = { project_id: 1, ...idsOf(6), span_id: "aaaaaaaaaaaaaaaa" };
    const at = new Date(now - HOUR_MS);
    // What makes them tellings of one call.
    await rig.owner`UPDATE generation_logs SET response_id = 'resp_6' WHERE span_id = ${idsOf(6).span_id} AND project_id = 1`;
    const columns = {
      response_id: "resp_6",
      start_time: at,
      dialect: "semconv",
      generation_status: "success",
      logged_at: at,
      updated_at: at,
      received_at: at,
    };
    await rig.owner`INSERT INTO generation_twins ${rig.owner({ ...twin, ...columns, survivor_span_id: idsOf(6).span_id })}`;
    const told = `${twin.trace_id}-${twin.span_id}`;
    const shown = await rig.get<GenerationDetail>(`/api/generations/${told}`);
    expect([shown.status, shown.body.id]).toEqual([200, generationId(6)]);
    const judged = await rig.send<GenerationDetail>(`/api/generations/${told}/review`, { status: "approved" });
    expect([judged.status, judged.body.id, judged.body.scores.at(-1)?.["label"]]).toEqual([200, generationId(6), "approved"]);
    expect(await stored(6)).toMatchObject({ quality_status: "approved" });
    const linked = await rig.send<GenerationDetail>(`/api/generations/${told}/entity`, { type: "problem", id: "7" }, { method: "PUT" });
    expect(linked.status).toBe(200);
    expect(await stored(6)).toMatchObject({ entity_type: "problem", entity_id: "7" });
    const compared = await rig.get(`/api/generations/compare?a=${told}&b=${generationId(5)}`);
    expect(compared.status).toBe(200);
    expect((await rig.get(`/api/generations/${told}/provenance`)).status).toBe(200);
    expect((await rig.get(`/api/generations/${twin.trace_id}-bbbbbbbbbbbbbbbb`)).status).toBe(404);
    expect(await rig.owner`SELECT span_id FROM generation_twins WHERE trace_id = ${twin.trace_id}`).toEqual([{ span_id: twin.span_id }]);
  });
});

describeEachServer("the queue of reviews", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    const now = Date.now();
    await storeGenerations(
      rig.owner,
      Array.from({ length: 12 }, (_, i) => ({
        start_time: new Date(now - (12 - i) * HOUR_MS),
        quality_status: "pending_review",
        model_name: i < 10 ? "a" : "b",
      })),
    );
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const next = async (reviewer: string, query = ""): Promise<string | undefined> =>
    (await rig.send<{ generation: GenerationDetail | null }>(`/api/review/next${query}`, { reviewer })).body.generation?.id;

  it("offers the oldest call, the same one again to the same reviewer, and another one to another", async () => {
    expect([await next("Ada"), await next("Ada"), await next("Bob")]).toEqual([generationId(1), generationId(1), generationId(2)]);
  });

  it("gives ten reviewers who ask at once ten different calls", async () => {
    const got = await Promise.all(Array.from({ length: 10 }, (_, i) => next(`reviewer ${i}`)));
    expect(new Set(got).size).toBe(10);
  });

  it("counts what waits, and follows a filter until it is empty", async () => {
    const { body } = await rig.get("/api/review");
    expect(body).toEqual({ pending_review: 12, approved: 0, rejected: 0, claimed: 12 });
    expect(await next("Eve", "?model=nothing")).toBeUndefined();
  });

  it("goes on looking where others were faster with all that it found", async () => {
    await storeGenerations(
      rig.owner,
      Array.from({ length: 25 }, () => ({ quality_status: "pending_review", model_name: "crowded" })),
      1_000,
    );
    // As if another reviewer had claimed each of the first twenty in between.
    await rig.owner.unsafe(`
      CREATE FUNCTION faster() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.claimed_by <> 'slow' OR (SELECT count(*) FROM review_claims WHERE claimed_by = 'fast') >= 20 THEN RETURN NEW; END IF;
        INSERT INTO review_claims VALUES (NEW.project_id, NEW.trace_id, NEW.span_id, 'fast', NEW.expires_at);
        RETURN NULL;
      END $$;
      CREATE TRIGGER faster BEFORE INSERT ON review_claims FOR EACH ROW EXECUTE FUNCTION faster();`);
    expect(await next("slow", "?model=crowded")).toBe(generationId(1_020));
    await rig.owner.unsafe("DROP TRIGGER faster ON review_claims; DROP FUNCTION faster()");
  });
});
