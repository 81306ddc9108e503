import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { BASE_MS, type SpanSpec, spanIdOf, tracesOf } from "../../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../../support/pipeline-rig.ts";

type Row = Readonly<Record<string, unknown>>;
interface Traces {
  readonly traces: readonly Row[];
  readonly total: number;
}

const id = (n: number): string => `20000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const DAY_MS = 86_400_000;

interface Try {
  readonly model: string;
  readonly success: boolean;
  readonly ms: number;
}

/** The records of one request for images, as the SDK sends them. */
function image(n: number, day: number, tries: readonly Try[]): SpanSpec[] {
  const start = day * DAY_MS + n * 1_000;
  const own = `img${n}`;
  let at = start;
  const attempts = tries.map(({ model, success, ms }, i) => {
    const span: SpanSpec = {
      id: `t${n}-${i}`,
      parent: own,
      at,
      tookMs: ms,
      attributes: {
        "genspan.record": "attempt",
        "genspan.attempt.number": i + 1,
        "genspan.attempt.outcome": success ? "success" : "error",
        "gen_ai.request.model": model,
        "genspan.image.request": JSON.stringify({ prompt: `A cat ${n}`, model, options: { negative_prompt: "dogs" } }),
        "genspan.image.response": JSON.stringify(success ? { success, dataSize: 212272 } : { success, error: "overloaded" }),
      },
    };
    at += ms;
    return span;
  });
  const done = tries.at(-1)?.success === true;
  const record: SpanSpec = {
    id: own,
    at: start,
    tookMs: at - start,
    ...(done ? {} : { error: "no model answered" }),
    attributes: {
      "genspan.record": "image",
      "genspan.image.id": id(n),
      "genspan.image.status": done ? "completed" : "failed",
      "genspan.image.request": JSON.stringify({ numberOfImages: 1, prompts: [{ prompt: `A cat ${n}`, position: "full" }] }),
      ...(done ? { "genspan.image.response": JSON.stringify({ generatedImagesCount: 1, imageUrls: ["https://example.org/a.png"] }) } : {}),
      "genspan.entity.type": "lesson",
      "genspan.entity.id": `lesson-${n % 2}`,
    },
  };
  return [record, ...attempts];
}

const slow = (success: boolean): Try => ({ model: "slow-and-sure", success, ms: 4_000 });
const quick = (success: boolean): Try => ({ model: "quick", success, ms: 1_000 });
const broken: Try = { model: "broken", success: false, ms: 100 };

describeEachServer("images over the API", (server) => {
  let rig: ApiRig;
  let pipeline: PipelineRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    pipeline = createPipelineRig(rig.database.url);
    const requests = [
      image(1, 0, [broken, quick(false), slow(true)]),
      image(2, 0, [quick(true)]),
      image(3, 1, [quick(true)]),
      image(4, 1, [quick(true)]),
      image(5, 2, [broken, slow(false)]),
    ];
    for (const spans of requests) await pipeline.send(tracesOf(...spans));
    await pipeline.refiner.settled();
  });
  afterAll(async () => {
    await pipeline?.stop();
    await rig?.[Symbol.asyncDispose]();
  });

  describe("GET /api/traceImage", () => {
    it("gives whole traces, newest first, in the names of the first application", async () => {
      const { status, body } = await rig.get<Traces>("/api/traceImage?limit=50&offset=0");
      expect([status, body.total, body.traces.map((trace) => trace["id"])]).toEqual([200, 5, [5, 4, 3, 2, 1].map(id)]);
      expect(body.traces.at(-1)).toEqual({
        id: id(1),
        lesson_id: "lesson-1",
        status: "completed",
        model_used: "slow-and-sure",
        models_tried: ["broken", "quick", "slow-and-sure"],
        total_duration_ms: 5_100,
        request_data: { numberOfImages: 1, prompts: [{ prompt: "A cat 1", position: "full" }] },
        response_data: { generatedImagesCount: 1, imageUrls: ["https://example.org/a.png"] },
        image_generation_attempts: [
          expect.objectContaining({ model: "broken", prompt: "A cat 1", success: false, error: "overloaded", duration_ms: 100 }),
          expect.objectContaining({ model: "quick", success: false }),
          expect.objectContaining({
            model: "slow-and-sure",
            request: { prompt: "A cat 1", model: "slow-and-sure", options: { negative_prompt: "dogs" } },
            response: { success: true, dataSize: 212272 },
            success: true,
            timestamp: new Date(BASE_MS + 1_000 + 1_100).toISOString(),
          }),
        ],
        created_at: new Date(BASE_MS + 1_000).toISOString().replace("Z", "000Z"),
        completed_at: new Date(BASE_MS + 6_100).toISOString().replace("Z", "000Z"),
      });
    });

    const dayAt = (day: number): string => new Date(BASE_MS + day * DAY_MS).toISOString();
    it.each([
      ["limit=2&offset=1", [4, 3]],
      ["offset=4", [1]],
      ["status=failed", [5]],
      ["model=broken", [5, 1]],
      ["used=quick", [4, 3, 2]],
      ["lesson=lesson-1", [5, 3, 1]],
      [`from=${dayAt(1)}&to=${dayAt(2)}`, [4, 3]],
      ["attempts=3%2B", [1]],
      ["q=cat+4", [4]],
      ["min_ms=4000&sort=-duration", [1, 5]],
    ])("selects by ?%s", async (query, expected) => {
      const { status, body } = await rig.get<Traces>(`/api/traceImage?${query}`);
      expect([status, body.traces.map((trace) => trace["id"])]).toEqual([200, expected.map(id)]);
    });

    it.each(["limit=0", "offset=-1", "offset=many", "status=done", "colour=red"])("refuses ?%s", async (query) => {
      expect((await rig.get(`/api/traceImage?${query}`)).status).toBe(400);
    });
  });

  describe("GET /api/images", () => {
    it("lists without what was sent and answered, in pages", async () => {
      const first = await rig.get<{ data: readonly Row[]; next: string }>("/api/images?limit=3");
      const second = await rig.get<{ data: readonly Row[]; next: null }>(`/api/images?limit=3&after=${first.body.next}`);
      expect([...first.body.data, ...second.body.data].map((row) => row["id"])).toEqual([5, 4, 3, 2, 1].map(id));
      expect(second.body.next).toBeNull();
      expect(second.body.data.at(-1)).toMatchObject({
        attempts: 3,
        failed_attempts: 2,
        prompt_start: "A cat 1",
        model_used: "slow-and-sure",
      });
      expect(Object.keys(second.body.data.at(-1) ?? {})).not.toEqual(expect.arrayContaining(["image_generation_attempts"]));
    });

    it("opens one, or says that there is none", async () => {
      const { body } = await rig.get<Row>(`/api/images/${id(5)}`);
      expect(body).toMatchObject({
        status: "failed",
        error_message: "no model answered",
        model_used: null,
        entity_type: "lesson",
        outputs: [],
      });
      expect((await rig.get(`/api/images/${id(99)}`)).status).toBe(404);
      expect((await rig.get("/api/images/nothing")).status).toBe(400);
    });

    it("names the pictures of a call, by hash and size, without their bytes", async () => {
      const picture = Buffer.from("a picture");
      const blob = { type: "blob", modality: "image", mime_type: "image/png", content: picture.toString("base64") };
      await pipeline.send(
        tracesOf({
          id: "draw",
          at: -DAY_MS,
          attributes: {
            "gen_ai.operation.name": "image_generation",
            "gen_ai.request.model": "gpt-image-1",
            "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts: [blob] }]),
          },
        }),
      );
      await pipeline.refiner.settled();
      const [row] = await rig.owner`SELECT id FROM image_traces WHERE span_id = ${spanIdOf("draw")}`;
      const { body } = await rig.get<Row>(`/api/images/${row?.["id"]}`);
      expect(body["outputs"]).toEqual([
        expect.objectContaining({ media_type: "image/png", size_bytes: picture.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }),
      ]);
      expect(JSON.stringify(body)).not.toContain(picture.toString("base64"));
      await rig.send(`/api/traceImage?id=${row?.["id"]}`, undefined, { method: "DELETE" });
    });
  });

  it("every try is a row of generation_attempts, whenever its record came", async () => {
    const triesOf = (n: number) => rig.owner`
      SELECT attempt_number, model_name, success, duration_ms, error_message, http_status, request, response FROM generation_attempts
      WHERE span_id = ${spanIdOf(`img${n}`)} ORDER BY attempt_number`;
    const request = (model: string) => ({ prompt: "A cat 1", model, options: { negative_prompt: "dogs" } });
    expect([...(await triesOf(1))]).toMatchObject([
      {
        attempt_number: 1,
        model_name: "broken",
        success: false,
        duration_ms: 100,
        request: request("broken"),
        response: { error: "overloaded" },
      },
      { attempt_number: 2, model_name: "quick", success: false },
      { attempt_number: 3, model_name: "slow-and-sure", success: true, error_message: null, response: { success: true, dataSize: 212272 } },
    ]);
    const [record, first, second] = image(6, 5, [broken, quick(true)]) as [SpanSpec, SpanSpec, SpanSpec];
    const odd = { ...second, attributes: { ...second.attributes, "genspan.attempt.http_status": 2 ** 40 } };
    for (const span of [odd, record, first, record]) {
      await pipeline.send(tracesOf(span));
      await pipeline.refiner.settled();
    }
    expect([...(await triesOf(6))]).toMatchObject([
      { attempt_number: 1, model_name: "broken" },
      { attempt_number: 2, model_name: "quick", http_status: null },
    ]);
    await rig.send(`/api/traceImage?id=${id(6)}`, undefined, { method: "DELETE" });
    expect(await triesOf(6)).toHaveLength(0);
    expect(await triesOf(1)).toHaveLength(3);
  });

  it("statistics by day are of the last thousand days", async () => {
    await rig.owner`INSERT INTO image_traces (project_id, id, status, created_at, received_at, models_tried, image_generation_attempts)
      SELECT 1, gen_random_uuid(), 'completed', '2010-01-01Z'::timestamptz + n * interval '1 day', now(), ARRAY['daily'], '[{"model":"daily","success":true}]'
      FROM generate_series(0, 1000) AS n`;
    const { body } = await rig.get<{ days: readonly Row[]; model_days: readonly Row[] }>("/api/images/stats?model=daily");
    expect([body.days.length, body.days[0]?.["day"], body.days.at(-1)?.["day"]]).toEqual([1000, "2010-01-02", "2012-09-27"]);
    expect([body.model_days.length, body.model_days[0]?.["day"]]).toEqual([1001, "2010-01-01"]);
    await rig.owner`DELETE FROM image_traces WHERE 'daily' = ANY(models_tried)`;
  });

  it("statistics take no durations that are out of all reason", async () => {
    const attempts = ["1.7e308", "1.7e308", "100"].map((duration) => `{"model":"clock","success":true,"duration_ms":${duration}}`);
    await rig.owner`INSERT INTO image_traces (project_id, id, status, created_at, received_at, models_tried, image_generation_attempts)
      VALUES (1, gen_random_uuid(), 'completed', '2020-01-01', now(), ARRAY['clock'], ${`[${attempts.join(",")}]`}::text::jsonb)`;
    const { status, body } = await rig.get<Row & { models: readonly Row[] }>("/api/images/stats?model=clock");
    expect([status, body.models]).toMatchObject([200, [{ model: "clock", attempts: 3, avg_duration_ms: 100, median_duration_ms: 100 }]]);
    await rig.owner`DELETE FROM image_traces WHERE 'clock' = ANY(models_tried)`;
  });

  it("statistics by model and day: success rates as SQL has them, and the order that gives a picture soonest", async () => {
    const { body } = await rig.get<Row & { models: readonly Row[] }>("/api/images/stats");
    expect(body).toMatchObject({
      traces: 5,
      started: 0,
      completed: 4,
      failed: 1,
      success_rate: 0.8,
      attempts: 8,
      median_duration_ms: 1_000,
    });
    expect(body.models).toMatchObject([
      // 1 s / ((3 + 1) / (4 + 2)) = 1.5 s; 4 s / ((1 + 1) / (2 + 2)) = 8 s; a model that never succeeded is last however quick it fails.
      {
        rank: 1,
        model: "quick",
        attempts: 4,
        succeeded: 3,
        success_rate: 0.75,
        used: 3,
        share_of_results: 0.75,
        expected_ms: expect.closeTo(1_500, 6),
        few: true,
      },
      { rank: 2, model: "slow-and-sure", attempts: 2, succeeded: 1, expected_ms: 8_000, used: 1 },
      { rank: 3, model: "broken", attempts: 2, succeeded: 0, success_rate: 0, last_error: "overloaded", share_of_results: null },
    ]);
    expect(body["suggested_order"]).toEqual(["quick", "slow-and-sure", "broken"]);
    const day = (n: number): string => new Date(BASE_MS + n * DAY_MS).toISOString().slice(0, 10);
    expect(body["days"]).toMatchObject([
      { day: day(0), traces: 2, completed: 2, attempts: 4 },
      { day: day(1), traces: 2, completed: 2, attempts: 2 },
      { day: day(2), traces: 1, failed: 1, attempts: 2 },
    ]);
    expect(body["model_days"]).toContainEqual({
      day: day(1),
      model: "quick",
      attempts: 2,
      succeeded: 2,
      success_rate: 1,
      median_duration_ms: 1_000,
    });
    const rates = await rig.owner`
      SELECT a ->> 'model' AS model, avg((a -> 'success' = 'true')::int)::float8 AS rate FROM image_traces, jsonb_array_elements(image_generation_attempts) AS a
      GROUP BY 1`;
    for (const { model, rate } of rates) expect(body.models.find((each) => each["model"] === model)?.["success_rate"]).toBe(rate);
  });

  describe("DELETE /api/traceImage", () => {
    const remove = (query: string) => rig.send<Row>(`/api/traceImage?${query}`, undefined, { method: "DELETE" });
    const left = async (): Promise<unknown[]> => (await rig.owner`SELECT id FROM image_traces ORDER BY created_at`).map((row) => row["id"]);

    it("deletes one with the records it was made of, writes that down, and it stays deleted when they are sent again", async () => {
      const { status, body } = await remove(`id=${id(2)}`);
      expect([status, body]).toEqual([200, { success: true, deleted: 1 }]);
      expect(await rig.owner`SELECT 1 FROM spans WHERE attributes::text LIKE '%A cat 2%'`).toHaveLength(0);
      const [entry] = await rig.owner`SELECT action, subject, details FROM audit_log WHERE action = 'image.delete' AND subject = ${id(2)}`;
      expect(entry).toEqual({ action: "image.delete", subject: id(2), details: { count: 1, reason: "id" } });
      await pipeline.send(tracesOf(...image(2, 0, [quick(true)])));
      await pipeline.refiner.settled();
      expect(await left()).toEqual([1, 3, 4, 5].map(id));
      expect((await remove(`id=${id(2)}`)).status).toBe(404);
    });

    it.each([
      "",
      "deleteAll=false",
      `id=${id(1)}&deleteAll=true`,
      "id=nothing",
      `id=${id(1)}&status=failed`,
      "deleteAll=true&colour=red",
      "deleteAll=true&limit=1",
      "deleteAll=true&lesson=",
      `id=${id(1)}&id=${id(2)}`,
    ])("refuses ?%s and deletes nothing", async (query) => {
      const before = await left();
      expect((await remove(query)).status).toBe(400);
      expect(await left()).toEqual(before);
    });

    it("deletes all that a filter selects, then all", async () => {
      expect((await remove("deleteAll=true&model=broken")).body).toEqual({ success: true, deleted: 2 });
      expect(await left()).toEqual([3, 4].map(id));
      expect((await remove("deleteAll=true")).body).toEqual({ success: true, deleted: 2 });
      expect((await remove("deleteAll=true")).body).toEqual({ success: true, deleted: 0 });
    });
  });

  it("a request names the pictures of the calls in its attempts, too", async () => {
    const blob = { type: "blob", modality: "image", mime_type: "image/png", content: Buffer.from("drawn in a try").toString("base64") };
    const [record, attempt] = image(7, -2, [quick(true)]) as [SpanSpec, SpanSpec];
    const drawn = { role: "assistant", parts: [blob], finish_reason: "stop" };
    await pipeline.send(
      tracesOf(record, attempt, {
        id: "drawn",
        parent: attempt.id,
        at: -2 * DAY_MS + 7_000,
        attributes: {
          "gen_ai.operation.name": "image_generation",
          "gen_ai.request.model": "quick",
          "gen_ai.output.messages": JSON.stringify([drawn]),
        },
      }),
    );
    await pipeline.refiner.settled();
    const { body } = await rig.get<{ outputs: Row[] }>(`/api/images/${id(7)}`);
    expect(body.outputs).toMatchObject([{ span_id: spanIdOf("drawn"), media_type: "image/png" }]);
  });
});
