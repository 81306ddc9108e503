import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installPackedSdk, type PackedSdk } from "../../support/packed-sdk.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";

let rig: SdkRig;
let application: PackedSdk;
beforeAll(async () => {
  application = await installPackedSdk();
  rig = await startSdkRig();
});
afterAll(async () => {
  application?.[Symbol.dispose]();
  await rig?.[Symbol.asyncDispose]();
});

/** An application in the middle of everything: it prints its ids when the collector has its announcements, then comes to its end. */
const program = (end: string): string => `
import { ImageTracer, RunReporter, startItem, startTracing } from "@genspan/sdk";
const tracing = startTracing({ serviceName: "abrupt", pending: "await", pendingDelayMillis: 1 });
const run = new RunReporter().start({ requested: 2, kind: "abrupt" });
await run.within(async () => {
  const open = new ImageTracer("open");
  const openId = await open.startTrace({ numberOfImages: 1 });
  const done = new ImageTracer("done");
  const doneId = await done.startTrace({ numberOfImages: 1 });
  const item = startItem({ kind: "abrupt" });
  await tracing.flush();
  run.inserted();
  await done.completeTrace({ generatedImagesCount: 1 });
  item.complete();
  console.log(JSON.stringify({ run: run.id, open: openId, done: doneId, item: item.id }));
  ${end}
});
`;

interface Ids {
  readonly run: string;
  readonly open: string;
  readonly done: string;
  readonly item: string;
}

async function runTo(end: string): Promise<{ ids: Ids; code: number | null; signal: NodeJS.Signals | null }> {
  writeFileSync(join(application.folder, "abrupt.ts"), program(end));
  const env = { PATH: process.env["PATH"] ?? "", OTEL_EXPORTER_OTLP_ENDPOINT: rig.program.otlpUrl };
  const child = spawn(process.execPath, ["abrupt.ts"], { cwd: application.folder, env, stdio: ["ignore", "pipe", "ignore"] });
  const output = child.stdout.toArray();
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { ids: JSON.parse(Buffer.concat(await output).toString()) as Ids, code, signal };
}

const images = ({ open, done }: Ids): string =>
  `SELECT lesson_id, status FROM image_traces WHERE id IN ('${open}', '${done}') ORDER BY lesson_id`;

describe("an application that ends in the middle of a run", () => {
  it.each([
    ["naturally, without a shutdown", "", 0, null],
    ["by process.exit", "process.exit(7);", 7, null],
    ["by an uncaught error", "setTimeout(() => { throw new Error('out'); });", 1, null],
    ["by SIGTERM", "process.kill(process.pid, 'SIGTERM'); await new Promise((resolve) => setTimeout(resolve, 60_000));", null, "SIGTERM"],
  ])("%s leaves all that had ended, and what was open as open", async (_, end, code, signal) => {
    const ended = await runTo(end);
    expect([ended.code, ended.signal]).toEqual([code, signal]);
    await rig.rows(images(ended.ids), [
      { lesson_id: "done", status: "completed" },
      { lesson_id: "open", status: "started" },
    ]);
    await rig.rows(`SELECT status, run_id FROM generation_items WHERE id = '${ended.ids.item}'`, [
      { status: "completed", run_id: ended.ids.run },
    ]);
    await rig.rows(`SELECT status, kind FROM generation_runs WHERE id = '${ended.ids.run}'`, [{ status: "running", kind: "abrupt" }]);
  });

  it("by SIGKILL leaves what was announced: a run that runs, images that were started", async () => {
    const { ids, signal } = await runTo("process.kill(process.pid, 'SIGKILL');");
    expect(signal).toBe("SIGKILL");
    await rig.rows(images(ids), [
      { lesson_id: "done", status: "started" },
      { lesson_id: "open", status: "started" },
    ]);
    await rig.rows(`SELECT status FROM generation_runs WHERE id = '${ids.run}'`, [{ status: "running" }]);
  });
});
