import { randomUUID } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { Channels, tell } from "../../alerts/channels.ts";
import { COMPARISONS, Condition, conditionText, currencyOfCondition, filterOf } from "../../alerts/condition.ts";
import { evaluate, preview } from "../../alerts/evaluate.ts";
import { linkOf } from "../../alerts/link.ts";
import { METRIC_NAMES, METRICS } from "../../alerts/metrics.ts";
import {
  type AlertEvent,
  type By,
  deleteRule,
  muteRule,
  type Rule,
  readChannels,
  readEvents,
  readRules,
  saveRule,
} from "../../alerts/rules.ts";
import { RequestError } from "../../base/request-error.ts";
import { listProjects } from "../../commands/projects.ts";
import { type Api, onlyKeys } from "../route.ts";
import { instant } from "../schemas.ts";

const iso = z.string().nullable();
const States = z.enum(["ok", "firing", "no_data"]);
const ConditionShape = z
  .object({
    metric: z.enum(METRIC_NAMES),
    filter: z.string(),
    compare: z.enum(Object.keys(COMPARISONS) as [keyof typeof COMPARISONS]),
    threshold: z.number(),
    window_seconds: z.number(),
    consecutive: z.number(),
    no_data: z.enum(["ok", "firing"]),
    currency: z.string().optional().openapi({ description: "of costs: the one that is added up; USD where it is left out" }),
  })
  .openapi("AlertCondition");
const RuleShape = z
  .object({
    id: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    condition: ConditionShape,
    text: z.string().openapi({ description: "the condition in words" }),
    channels: z.array(z.record(z.string(), z.unknown())).openapi({ description: "without what is secret in them" }),
    interval_seconds: z.number(),
    muted_until: iso,
    evaluated_at: iso,
    last_state: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("AlertRule");
const EventShape = z
  .object({
    id: z.string(),
    rule_id: z.string(),
    started_at: z.string(),
    resolved_at: iso,
    notified_at: iso,
    value: z.number().nullable(),
    last_failure: z.string().nullable(),
  })
  .openapi("AlertEvent");

const RuleBody = z.strictObject({
  name: z.string().min(1).max(200),
  enabled: z.boolean().default(true),
  condition: Condition,
  channels: Channels.optional().openapi({ description: "left out on a change, they stay as they are" }),
  interval_seconds: z.int().min(10).max(86_400).default(60),
});
const MAX_STEPS = 300;
const PreviewBody = z.strictObject({
  condition: Condition,
  from: instant.prefault("-24h"),
  to: instant.prefault("now"),
  steps: z.int().min(1).max(MAX_STEPS).default(60),
});
const MuteBody = z.strictObject({ until: z.iso.datetime({ offset: true }).nullable() });
const Params = z.object({ id: z.string() });

/** What should wake somebody. */
export function alertRoutes({ route, services }: Api): void {
  const { reader, writer, alerting } = services;
  const by = (projectId: number, actor: string): By => ({ ...writer, projectId, actor });
  const found = async (projectId: number, id: string): Promise<Rule> => {
    const [rule] = await readRules(writer, projectId, id);
    if (rule === undefined) throw noSuchRule();
    return rule;
  };
  route(
    {
      method: "get",
      path: "/api/alerts",
      tag: "alerts",
      summary: "Alert rules and how each stood when it was last looked at",
      scope: "read",
      answer: z.object({ data: z.array(RuleShape) }),
    },
    async ({ projectId, query }) => {
      onlyKeys(query, []);
      return { data: (await readRules(writer, projectId)).map(shownRule) };
    },
  );
  route(
    {
      method: "get",
      path: "/api/alerts/metrics",
      tag: "alerts",
      summary: "What a rule can watch",
      scope: "read",
      answer: z.object({ data: z.array(z.object({ name: z.string(), kind: z.string(), noun: z.string(), description: z.string() })) }),
    },
    async () => ({
      data: METRIC_NAMES.map((name) => ({
        name,
        kind: METRICS[name].kind,
        noun: METRICS[name].noun.name,
        description: METRICS[name].description,
      })),
    }),
  );
  route(
    {
      method: "get",
      path: "/api/alerts/events",
      tag: "alerts",
      summary: "When rules fired, newest first, at most 500",
      scope: "read",
      query: [{ name: "rule", description: "of one rule, by its id" }],
      answer: z.object({ data: z.array(EventShape) }),
    },
    async ({ projectId, query }) => {
      onlyKeys(query, ["rule"]);
      return { data: (await readEvents(writer, projectId, query.get("rule") ?? undefined)).map(shownEvent) };
    },
  );
  route(
    {
      method: "post",
      path: "/api/alerts",
      tag: "alerts",
      summary: "Makes a rule",
      refusals: [409],
      scope: "admin",
      body: RuleBody,
      answer: RuleShape,
      status: 201,
    },
    async ({ projectId, actor, body }) => {
      filterOf(body.condition);
      const { channels = [], ...rule } = body;
      const id = await saveRule(by(projectId, actor), { ...rule, channels });
      return shownRule(await found(projectId, id ?? ""));
    },
  );
  route(
    {
      method: "post",
      path: "/api/alerts/preview",
      tag: "alerts",
      summary: "When a rule would have fired, measured as it will be",
      scope: "read",
      body: PreviewBody,
      answer: z.object({ data: z.array(z.object({ at: z.string(), state: States, value: z.number().nullable() })) }),
    },
    async ({ projectId, body }) => {
      const { condition, steps } = body;
      filterOf(condition);
      const [from, to] = [new Date(body.from), new Date(body.to)];
      if (to <= from) throw new RequestError("bad_request", "to must lie after from");
      return { data: await preview({ reader, projectId }, condition, { from, to, steps }) };
    },
  );
  route(
    { method: "get", path: "/api/alerts/{id}", tag: "alerts", summary: "One rule", scope: "read", params: Params, answer: RuleShape },
    async ({ projectId, params }) => shownRule(await found(projectId, params.id)),
  );
  route(
    {
      method: "put",
      path: "/api/alerts/{id}",
      tag: "alerts",
      summary: "Changes a rule",
      refusals: [409],
      scope: "admin",
      params: Params,
      body: RuleBody,
      answer: RuleShape,
    },
    async ({ projectId, actor, params, body }) => {
      filterOf(body.condition);
      const { channels, ...rule } = body;
      if ((await saveRule(by(projectId, actor), { ...rule, ...(channels === undefined ? {} : { channels }) }, params.id)) === undefined)
        throw noSuchRule();
      return shownRule(await found(projectId, params.id));
    },
  );
  route(
    {
      method: "delete",
      path: "/api/alerts/{id}",
      tag: "alerts",
      summary: "Removes a rule with its history",
      scope: "admin",
      params: Params,
      answer: z.object({ deleted: z.literal(true) }),
    },
    async ({ projectId, actor, params }) => {
      if (!(await deleteRule(by(projectId, actor), params.id))) throw noSuchRule();
      return { deleted: true };
    },
  );
  route(
    {
      method: "post",
      path: "/api/alerts/{id}/mute",
      tag: "alerts",
      summary: "Lets a rule tell nobody until a time; null ends that",
      scope: "admin",
      params: Params,
      body: MuteBody,
      answer: RuleShape,
    },
    async ({ projectId, actor, params, body }) => {
      if (!(await muteRule(by(projectId, actor), params.id, body.until === null ? null : new Date(body.until)))) throw noSuchRule();
      return shownRule(await found(projectId, params.id));
    },
  );
  route(
    {
      method: "post",
      path: "/api/alerts/{id}/test",
      tag: "alerts",
      summary: "Sends a message to every channel of the rule, saying that it is a test",
      scope: "admin",
      params: Params,
      answer: z.object({ told: z.number(), failures: z.array(z.string()) }),
    },
    async ({ projectId, params }) => {
      const rule = await found(projectId, params.id);
      const channels = await readChannels(writer, projectId, rule.id);
      const now = new Date();
      const { value, things, leftOut } = await evaluate({ reader, projectId }, rule.condition, now);
      const [project] = await listProjects(writer, projectId);
      const notice = {
        ...{
          event: "test" as const,
          eventId: randomUUID(),
          rule,
          project: project?.name ?? String(projectId),
          value,
          leftOut,
          resolvedAt: null,
        },
        ...{ startedAt: now.toISOString(), link: linkOf(alerting.publicUrl, { condition: rule.condition, at: now, things }) },
      };
      const results = await Promise.allSettled(channels.map((channel) => tell(channel, notice, alerting)));
      const failures = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
      return { told: channels.length - failures.length, failures };
    },
  );
  route(
    {
      method: "get",
      path: "/api/alerts/{id}/check",
      tag: "alerts",
      summary: "Measures a rule now, telling nobody",
      scope: "read",
      params: Params,
      answer: z.object({
        state: States,
        value: z.number().nullable(),
        values: z.array(z.number().nullable()),
        currency: z.string().nullable().openapi({ description: "of costs: the one that is added up" }),
        left_out_currencies: z.array(z.string()).openapi({ description: "of costs: the currencies of amounts that are not in the values" }),
      }),
    },
    async ({ projectId, params }) => {
      const { condition } = await found(projectId, params.id);
      const { state, value, values, leftOut } = await evaluate({ reader, projectId }, condition, new Date());
      const currency = currencyOfCondition(condition) ?? null;
      return { state, value, values: [...values], currency, left_out_currencies: [...leftOut] };
    },
  );
}

const noSuchRule = (): RequestError => new RequestError("not_found", "there is no alert rule of that id");

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

const shownRule = ({ notify, ...rule }: Rule): z.infer<typeof RuleShape> => ({
  ...rule,
  text: conditionText(rule.condition),
  channels: [...notify],
  muted_until: time(rule.muted_until),
  evaluated_at: time(rule.evaluated_at),
  created_at: rule.created_at.toISOString(),
  updated_at: rule.updated_at.toISOString(),
});

const shownEvent = (event: AlertEvent): z.infer<typeof EventShape> => ({
  ...event,
  started_at: event.started_at.toISOString(),
  resolved_at: time(event.resolved_at),
  notified_at: time(event.notified_at),
});
