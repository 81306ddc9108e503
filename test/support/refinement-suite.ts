import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { Signal } from "../../collector/base/signal.ts";
import { createTestDatabase, type TestDatabase, type TestServer } from "./database.ts";
import { createPipelineRig, type PipelineRig } from "./pipeline-rig.ts";

/** One request. */
export interface Part {
  readonly signal: Signal;
  readonly body: Buffer | object;
}

export const traces = (body: Buffer | object): Part => ({ signal: "traces", body });
export const logs = (body: Buffer | object): Part => ({ signal: "logs", body });

export const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai" };
export const usage = (input: number, output: number) => ({ "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output });
export const prompt = JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Hi" }] }]);
export const answer = JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }]);
export const http = (status: number) => ({
  "http.request.method": "POST",
  "url.full": "https://api.openai.com/v1/x",
  "http.response.status_code": status,
});

const RUNS = process.env["GENSPAN_TEST_LONG"] === "1" ? 100 : 8;

/** Two collectors on one database, empty before each test, and what users see in it. */
export function useRefinementSuite(server: TestServer) {
  let database: TestDatabase;
  let rigs: PipelineRig[];
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rigs = [createPipelineRig(database.url), createPipelineRig(database.url)];
  });
  afterEach(() => empty());
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await database[Symbol.asyncDispose]();
  });
  const empty = async (): Promise<void> => {
    await rigs[0]!.sql`TRUNCATE spans, generation_logs, generation_twins, generation_attempts, log_records, image_traces, outputs, blobs`;
  };
  const settle = async (): Promise<void> => {
    for (const rig of rigs) await rig.refiner.settled();
  };
  const calls = () => rigs[0]!.sql`SELECT * FROM generation_logs ORDER BY start_time, span_id`;
  const attempts = () => rigs[0]!.sql`SELECT * FROM generation_attempts ORDER BY start_time, span_id, attempt_number`;

  /** Everything that users see, without the times of arrival. */
  async function state(): Promise<unknown> {
    const { sql } = rigs[0]!;
    const [counted, twins, tries] = [
      await calls(),
      await sql`SELECT * FROM generation_twins ORDER BY start_time, span_id`,
      await attempts(),
    ];
    const without = (rows: readonly Record<string, unknown>[]) =>
      rows.map(({ received_at: _received, updated_at: _updated, ...row }) => row);
    const images = await sql`SELECT * FROM image_traces ORDER BY id`;
    return { counted: without(counted), twins: without(twins), attempts: without(tries), images: without(images) };
  }

  async function sendAll(parts: readonly Part[]): Promise<void> {
    for (const part of parts) expect((await rigs[0]!.send(part.body, part.signal)).kind).toBe("accepted");
    await settle();
  }

  /** Any order and any repetition, through either collector, ends in the same rows. */
  async function expectOrderIndependent(parts: readonly Part[]): Promise<void> {
    await empty();
    await sendAll(parts);
    const expected = await state();
    const order = fc.array(fc.record({ part: fc.nat({ max: parts.length - 1 }), rig: fc.nat({ max: 1 }) }), { maxLength: 4 });
    const permutation = fc.shuffledSubarray([...parts.keys()], { minLength: parts.length, maxLength: parts.length });
    await fc.assert(
      fc.asyncProperty(permutation, order, fc.nat({ max: 1 }), async (sequence, repeats, start) => {
        await empty();
        for (const [i, index] of sequence.entries()) await rigs[(i + start) % 2]!.send(parts[index]!.body, parts[index]!.signal);
        for (const { part, rig } of repeats) await rigs[rig]!.send(parts[part]!.body, parts[part]!.signal);
        await settle();
        await sweepBoth();
        expect(await state()).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  }

  const sweepBoth = async (): Promise<void> => {
    for (const rig of rigs) await rig.refiner.sweep();
    await settle();
  };
  const rig = (number = 0): PipelineRig => rigs[number]!;
  return { rig, empty, settle, calls, attempts, state, sendAll, expectOrderIndependent };
}
