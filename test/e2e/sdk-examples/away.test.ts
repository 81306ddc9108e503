import { afterAll, beforeAll, expect, it } from "vitest";
import type { Tracing } from "../../../sdk/core/tracing.ts";
import { ImageTracer } from "../../../sdk/images/image-tracer.ts";
import { startItem } from "../../../sdk/items/item.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";

let rig: SdkRig;
let proxy: TcpProxy;
let tracing: Tracing;
beforeAll(async () => {
  rig = await startSdkRig();
  const { hostname: host, port } = new URL(rig.program.otlpUrl);
  proxy = await startTcpProxy({ host, port: Number(port) });
  tracing = rig.trace({ endpoint: proxy.urlFor(rig.program.otlpUrl), onProblem: () => {} });
});
afterAll(async () => {
  await tracing?.shutdown({ timeoutMillis: 1_000 });
  await proxy?.close();
  await rig?.[Symbol.asyncDispose]();
});

it("a collector that is away delays no end for long, and has everything when it is back", async () => {
  proxy.setMode("fin");
  const run = new RunReporter().start({ requested: 1, kind: "away" });
  const [image, item] = await run.within(async () => {
    const tracer = new ImageTracer("lesson-away");
    const id = await tracer.startTrace({ numberOfImages: 1 });
    tracer.addImageGenerationAttempt({ model: "m", prompt: "p", success: true });
    await tracer.completeTrace({ generatedImagesCount: 1 });
    const made = startItem({ kind: "away" });
    made.complete();
    return [id, made.id];
  });
  run.inserted();
  expect(await run.finish()).toEqual({ status: "queued", runId: run.id });

  proxy.setMode("pass");
  await rig.rows(`SELECT status, items_inserted FROM generation_runs WHERE id = '${run.id}'`, [{ status: "success", items_inserted: 1n }]);
  await rig.rows(`SELECT status, run_id FROM image_traces WHERE id = '${image}'`, [{ status: "completed", run_id: run.id }]);
  await rig.rows(`SELECT status, run_id FROM generation_items WHERE id = '${item}'`, [{ status: "completed", run_id: run.id }]);
}, 90_000);
