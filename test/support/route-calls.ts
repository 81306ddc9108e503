import { generationId, idsOf } from "./generation-rows.ts";

/** Ids of rows that the calls below speak of. */
export const SAMPLE = {
  generation: generationId(1),
  trace: idsOf(1).trace_id,
  span: idsOf(1).span_id,
  run: "00000000-0000-4000-8000-000000000001",
  otherRun: "00000000-0000-4000-8000-000000000002",
  item: "00000000-0000-4000-8000-000000000003",
  image: "00000000-0000-4000-8000-000000000004",
  alert: "00000000-0000-4000-8000-000000000006",
  key: "00000000-0000-4000-8000-000000000005",
  /** SHA-256 of stored content. */
  media: "07".repeat(32),
} as const;

export const ALERT_CONDITION = { metric: "failure_rate", compare: "above", threshold: 0.5, window_seconds: 600 };

export interface RouteCall {
  /** Values of the path, by name. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  /** Where the route does not answer with its success in this test, by intention. */
  readonly status?: number;
}

/** One good call of each route of the OpenAPI document; a new route needs one here. Those that take something away come last, in the order in which they stand. */
export const GOOD_CALLS: Readonly<Record<string, RouteCall>> = {
  "get /api/generations": { query: "model=gpt-5&-status=failed&limit=5" },
  "get /api/generations/stats": { query: "by=model,day&from=-30d" },
  "get /api/generations/compare": { query: `a=${SAMPLE.generation}&b=${generationId(2)}` },
  "get /api/generations/{id}": { params: { id: SAMPLE.generation } },
  "get /api/generations/{id}/content/{which}": { params: { id: SAMPLE.generation, which: "prompt" } },
  "get /api/generations/{id}/span": { params: { id: SAMPLE.generation } },
  "get /api/generations/{id}/provenance": { params: { id: SAMPLE.generation } },
  "post /api/generations/{id}/review": { params: { id: SAMPLE.generation }, body: { status: "rejected", issues: ["short"] } },
  "delete /api/generations/{id}/review": { params: { id: SAMPLE.generation } },
  "put /api/generations/{id}/entity": { params: { id: SAMPLE.generation }, body: { type: "lesson", id: "1" } },
  "delete /api/generations/{id}/entity": { params: { id: SAMPLE.generation } },
  "post /api/generations/reprice": { body: { from: "-30d", dry_run: false } },
  "get /api/review": {},
  "post /api/review/next": { body: { reviewer: "ada" } },
  "get /api/usage": { query: "by=day,model" },
  "get /api/traces": { query: "service=web" },
  "get /api/traces/compare": { query: `a=${SAMPLE.trace}&b=${SAMPLE.trace}` },
  "get /api/traces/{traceId}": { params: { traceId: SAMPLE.trace } },
  "get /api/traces/{traceId}/spans/{spanId}": { params: { traceId: SAMPLE.trace, spanId: SAMPLE.span } },
  "get /api/prompts": { query: "from=-30d" },
  "get /api/prompts/{name}": { params: { name: "quiz" } },
  "get /api/prompts/{name}/compare": { params: { name: "quiz" }, query: "a=1&b=2" },
  "get /api/export/{noun}": { params: { noun: "generations" }, query: "format=jsonl" },
  "get /api/export/{noun}/count": { params: { noun: "traces" } },
  "post /api/import": { body: {}, status: 200 },
  "get /api/subject": { query: "user=u1" },
  "get /api/keys": {},
  "post /api/keys": { body: { name: "more", scopes: ["read"] }, status: 403 },
  "post /api/keys/{id}/rotate": { params: { id: SAMPLE.key }, body: {}, status: 403 },
  "get /api/projects": {},
  "post /v1/admin/generation-runs": {
    body: {
      id: SAMPLE.otherRun,
      status: "success",
      started_at: "2026-11-20T08:00:00Z",
      completed_at: "2026-11-20T08:10:00Z",
      questions_requested: 10,
      questions_inserted: 9,
    },
  },
  "get /v1/admin/generation-runs": { query: "limit=5" },
  "get /v1/admin/generation-runs/stats": {},
  "get /v1/admin/generation-runs/{id}": { params: { id: SAMPLE.run } },
  "get /api/runs": {},
  "get /api/runs/stats": {},
  "get /api/runs/trend": { query: "metric=approval_rate" },
  "get /api/runs/streak": {},
  "get /api/runs/stuck": {},
  "get /api/runs/compare": { query: `id=${SAMPLE.run}&id=${SAMPLE.otherRun}` },
  "get /api/runs/{id}": { params: { id: SAMPLE.run } },
  "post /api/runs/{id}/mark-failed": { params: { id: SAMPLE.run }, body: { reason: "gone" } },
  "get /api/items": {},
  "get /api/items/stats": {},
  "get /api/items/labels": {},
  "get /api/items/issues": {},
  "get /api/items/{id}": { params: { id: SAMPLE.item } },
  "post /api/items/{id}/review": { params: { id: SAMPLE.item }, body: { status: "approved" } },
  "delete /api/items/{id}/review": { params: { id: SAMPLE.item } },
  "get /api/quality-rules": {},
  "put /api/quality-rules/{name}": { params: { name: "no_foo" }, body: { pattern: "foo" } },
  "post /api/quality-rules/apply": { body: {} },
  "delete /api/quality-rules/{name}": { params: { name: "no_foo" } },
  "get /api/images": {},
  "get /api/images/stats": {},
  "get /api/images/{id}": { params: { id: SAMPLE.image } },
  "get /api/media/{sha256}": { params: { sha256: SAMPLE.media } },
  "get /api/traceImage": { query: "limit=5&offset=0" },
  "get /api/alerts": {},
  "get /api/alerts/metrics": {},
  "get /api/alerts/events": {},
  "get /api/alerts/{id}": { params: { id: SAMPLE.alert } },
  "get /api/alerts/{id}/check": { params: { id: SAMPLE.alert } },
  "post /api/alerts": { body: { name: "too many failures", condition: ALERT_CONDITION, channels: [{ type: "log" }] } },
  "post /api/alerts/preview": { body: { condition: ALERT_CONDITION, from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z", steps: 5 } },
  "put /api/alerts/{id}": { params: { id: SAMPLE.alert }, body: { name: "fewer failures", condition: ALERT_CONDITION } },
  "post /api/alerts/{id}/mute": { params: { id: SAMPLE.alert }, body: { until: null } },
  "post /api/alerts/{id}/test": { params: { id: SAMPLE.alert } },
  "delete /api/alerts/{id}": { params: { id: SAMPLE.alert } },
  "get /api/stream": { query: "model=gpt-5" },
  "delete /api/traceImage": { query: `id=${SAMPLE.image}` },
  "delete /api/projects/{id}": { params: { id: "1" }, query: "confirm=default", status: 409 },
  "delete /api/keys/{id}": { params: { id: SAMPLE.key } },
  "post /api/erase": { body: { kind: "user", value: "u1", dry_run: true } },
};
