import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { current } from "../../../sdk/core/current.ts";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

const FLUX = "black-forest-labs/FLUX.1-dev";
const SDXL = "stabilityai/stable-diffusion-xl-base-1.0";
const PNG = Buffer.from("\x89PNG\r\n\x1a\na picture that nobody may find", "latin1");

let rig: SdkRig;
let tracing: Tracing;
beforeAll(async () => {
  rig = await startSdkRig();
  tracing = rig.trace({ serviceName: "lessons", environment: "staging", pendingDelayMillis: 1 });
});
afterAll(async () => {
  await tracing?.shutdown();
  await rig?.[Symbol.asyncDispose]();
});

const columns = "status, model_used, models_tried, error_message, jsonb_array_length(image_generation_attempts) AS attempts";

describe("a trace of images", () => {
  it("is a started row from its start, and completed after its models were tried in turn", async () => {
    const tracer = new ImageTracer("lesson-1");
    const id = await tracer.startTrace({ numberOfImages: 1, prompts: [{ prompt: "A cat" }] });
    await rig.rows(`SELECT status, lesson_id, request_data, completed_at FROM image_traces WHERE id = '${id}'`, [
      { status: "started", lesson_id: "lesson-1", request_data: { numberOfImages: 1, prompts: [{ prompt: "A cat" }] }, completed_at: null },
    ]);
    await expect(tracer.attempt({ model: FLUX, prompt: "A cat" }, () => Promise.reject(new Error("Model timeout")))).rejects.toThrow();
    expect(await tracer.attempt({ model: SDXL, prompt: "A cat", provider: "huggingface" }, async () => PNG)).toBe(PNG);
    await tracer.completeTrace({ generatedImagesCount: 1, imageUrls: ["https://cdn/1.png"] });
    await tracing.flush();
    await rig.rows(`SELECT ${columns}, entity_type, environment, response_data FROM image_traces WHERE id = '${id}'`, [
      {
        status: "completed",
        model_used: SDXL,
        models_tried: [FLUX, SDXL],
        error_message: null,
        attempts: 2,
        entity_type: "lesson",
        environment: "staging",
        response_data: { generatedImagesCount: 1, imageUrls: ["https://cdn/1.png"] },
      },
    ]);
    await rig.rows(
      `SELECT a ->> 'model' AS model, (a ->> 'success')::boolean AS success, a ->> 'error' AS error, a -> 'response' AS response
       FROM image_traces, jsonb_array_elements(image_generation_attempts) AS a WHERE id = '${id}'`,
      [
        { model: FLUX, success: false, error: "Model timeout", response: { success: false, error: "Model timeout" } },
        { model: SDXL, success: true, error: null, response: { success: true, dataSize: PNG.length } },
      ],
    );
  });

  it("leaves size and hash of a picture, and its bytes nowhere in the database", async () => {
    const [row] = await rig.sql`SELECT attributes FROM spans WHERE attributes ? 'genspan.image.sha256' LIMIT 1`;
    expect(row?.["attributes"]).toMatchObject({
      "genspan.image.size": PNG.length,
      "genspan.image.sha256": createHash("sha256").update(PNG).digest("hex"),
      "genspan.image.mime_type": "image/png",
    });
    const [found] = await rig.sql`
      SELECT (SELECT count(*) FROM spans WHERE attributes::text LIKE '%nobody may find%')
           + (SELECT count(*) FROM image_traces t WHERE to_jsonb(t)::text LIKE '%nobody may find%') AS n`;
    expect(found?.["n"]).toBe(0n);
  });

  it("that failed tells why and what was tried", async () => {
    const tracer = new ImageTracer("lesson-2");
    const id = await tracer.startTrace({ prompts: [{ prompt: "A dog" }] });
    for (const [i, model] of [FLUX, SDXL].entries()) {
      tracer.addImageGenerationAttempt({
        model,
        prompt: "A dog",
        request: { prompt: "A dog", model, options: { negative_prompt: "text", guidance_scale: 7.5 } },
        success: false,
        error: `refused ${i}`,
        duration_ms: 10,
        httpStatus: 503,
      });
    }
    await tracer.failTrace("Model timeout");
    await tracing.flush();
    await rig.rows(`SELECT ${columns} FROM image_traces WHERE id = '${id}'`, [
      { status: "failed", model_used: null, models_tried: [FLUX, SDXL], error_message: "Model timeout", attempts: 2 },
    ]);
    await rig.rows(`SELECT image_generation_attempts -> 1 -> 'request' AS request FROM image_traces WHERE id = '${id}'`, [
      { request: { prompt: "A dog", model: SDXL, options: { negative_prompt: "text", guidance_scale: 7.5 } } },
    ]);
  });

  it("that is abandoned has failed", async () => {
    let id = "";
    const lesson = async (): Promise<void> => {
      await using tracer = new ImageTracer("lesson-3");
      id = await tracer.startTrace({ numberOfImages: 1 });
      throw new Error("the lesson could not be written");
    };
    await expect(lesson()).rejects.toThrow("could not be written");
    await tracing.flush();
    await rig.rows(`SELECT status, error_message FROM image_traces WHERE id = '${id}'`, [
      { status: "failed", error_message: "abandoned: the trace was neither completed nor failed" },
    ]);
  });

  it("whose content was dropped on its way is an image still, and no call", async () => {
    const tracer = new ImageTracer("lesson-4");
    const id = await tracer.startTrace({ prompts: [{ prompt: "A cow" }] });
    const { recorder } = current();
    const bare = { "genspan.record": "pending", "genspan.image.id": id.replace(/^./, "f"), "genspan.image.status": "started" };
    const parent = recorder.start({ name: "never ends" });
    recorder.record({ name: "generate images", parent: parent.refText, attributes: bare });
    await tracing.flush();
    await rig.rows(`SELECT status, request_data FROM image_traces WHERE span_id = '${parent.ref.spanId}'`, [
      { status: "started", request_data: null },
    ]);
    expect(await rig.sql`SELECT generation_status FROM generation_logs WHERE trace_id = ${parent.ref.traceId}`).toHaveLength(0);
    await tracer.failTrace("done");
  });

  it("of 300 pictures has each once, however they are split into requests", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 300; i++) {
      const tracer = new ImageTracer(`many-${i}`);
      ids.push(await tracer.startTrace({ numberOfImages: 1 }));
      tracer.addImageGenerationAttempt({ model: SDXL, prompt: "p", success: true });
      await tracer.completeTrace({ generatedImagesCount: 1 });
    }
    expect((await tracing.flush()).complete).toBe(true);
    const expected = { n: 300n, completed: 300n, attempts: 300n };
    await rig.rows(
      `SELECT count(*) AS n, count(*) FILTER (WHERE status = 'completed') AS completed, sum(jsonb_array_length(image_generation_attempts)) AS attempts
       FROM image_traces WHERE id IN (${ids.map((id) => `'${id}'`).join(", ")})`,
      [expected],
    );
  });
});
