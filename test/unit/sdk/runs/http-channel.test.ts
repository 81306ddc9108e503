import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHttpChannel } from "../../../../sdk/runs/http-channel.ts";
import type { RunRecord } from "../../../../sdk/runs/run-record.ts";

const RUN: RunRecord = {
  id: "7f000001-0000-4000-8000-000000000001",
  kind: "questions",
  startedAtMillis: Date.UTC(2026, 10, 21, 8, 0, 0),
  completedAtMillis: undefined,
  status: "running",
  exitCode: undefined,
  triggeredBy: "scheduler",
  environment: "production",
  summary: { items_requested: 50, items_generated: 10 },
};
const DONE: RunRecord = { ...RUN, status: "success", exitCode: 0, completedAtMillis: RUN.startedAtMillis + 90_500 };

type Body = Record<string, unknown>;
interface Api {
  readonly url: string;
  readonly bodies: Body[];
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Answers each request with the next status (the last one from then on), after `gate` has been passed. */
async function api(statuses: readonly number[], gate: Promise<void> = Promise.resolve()): Promise<Api> {
  const bodies: Body[] = [];
  server = createServer(async (request, response) => {
    bodies.push(JSON.parse(Buffer.concat(await request.toArray()).toString()) as Body);
    const status = statuses[Math.min(bodies.length, statuses.length) - 1]!;
    await gate;
    response.writeHead(status, { "retry-after": "0" }).end(`{"id":"x","error":{"message":"reason ${status}"}}`);
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

describe("reporting a run over HTTP", () => {
  it("uses the field names of the API, and skips a start that an end has overtaken", async () => {
    const { url, bodies } = await api([201]);
    const channel = createHttpChannel(RUN.id, { apiUrl: url }, vi.fn());
    channel.started(RUN);
    expect(await channel.finished(DONE)).toEqual({ status: "accepted", runId: RUN.id });
    const common = {
      id: RUN.id,
      kind: "questions",
      started_at: "2026-11-21T08:00:00.000Z",
      questions_requested: 50,
      questions_generated: 10,
      environment: "production",
      triggered_by: "scheduler",
    };
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toEqual({
      ...common,
      status: "success",
      exit_code: 0,
      completed_at: "2026-11-21T08:01:30.500Z",
      duration_seconds: 90.5,
    });
  });

  it("sends reports one after the other, and of several waiting ones only the newest", async () => {
    const gate = Promise.withResolvers<void>();
    const { url, bodies } = await api([201], gate.promise);
    const channel = createHttpChannel(RUN.id, { apiUrl: url }, vi.fn());
    channel.started(RUN);
    await vi.waitFor(() => expect(bodies).toHaveLength(1));
    for (const items_generated of [11, 12, 13]) channel.progress({ ...RUN, summary: { items_generated } });
    gate.resolve();
    await vi.waitFor(() => expect(bodies).toHaveLength(2));
    await channel.finished(DONE);
    expect(bodies.map((body) => [body["status"], body["questions_generated"]])).toEqual([
      ["running", 10],
      ["running", 13],
      ["success", 10],
    ]);
  });

  it.each([429, 500, 503])("tries again after %i", async (status) => {
    const { url, bodies } = await api([status, status, 201]);
    const onFailure = vi.fn();
    expect(await createHttpChannel(RUN.id, { apiUrl: url }, onFailure).finished(DONE)).toMatchObject({ status: "accepted" });
    expect(bodies).toHaveLength(3);
    expect(onFailure).not.toHaveBeenCalled();
  });

  it("gives up after three tries, tells why and never rejects", async () => {
    const { url, bodies } = await api([503]);
    const onFailure = vi.fn();
    const outcome = await createHttpChannel(RUN.id, { apiUrl: url }, onFailure).finished(DONE);
    expect(outcome).toEqual({ status: "failed", runId: RUN.id, reason: "the collector answered 503: reason 503" });
    expect(bodies).toHaveLength(3);
    expect(onFailure).toHaveBeenCalledExactlyOnceWith("a run was not reported: the collector answered 503: reason 503");
  });

  it.each([400, 401, 404, 422])("does not try again what the collector refuses: %i", async (status) => {
    const { url, bodies } = await api([status]);
    expect(await createHttpChannel(RUN.id, { apiUrl: url }, vi.fn()).finished(DONE)).toMatchObject({ status: "failed" });
    expect(bodies).toHaveLength(1);
  });

  it("goes on with the next report where one could not be written as JSON", async () => {
    const { url, bodies } = await api([201]);
    const channel = createHttpChannel(RUN.id, { apiUrl: url }, vi.fn());
    channel.started({ ...RUN, summary: { provider_metrics: { openai: { n: 1n } } } });
    expect(await channel.finished(DONE)).toMatchObject({ status: "accepted" });
    expect(bodies).toHaveLength(1);
  });

  it("never rejects when nobody answers", async () => {
    const outcome = await createHttpChannel(RUN.id, { apiUrl: "http://127.0.0.1:1", timeoutMillis: 100 }, vi.fn()).finished(DONE);
    expect(outcome).toMatchObject({ status: "failed", reason: "the collector's API at http://127.0.0.1:1 does not answer" });
  });
});
