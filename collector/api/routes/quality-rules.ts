import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { markFindings } from "../../commands/mark-findings.ts";
import { deleteRule, judgeOf, putRule, readRules, type StoredRule } from "../../commands/quality-rules.ts";
import { BUILT_IN_RULES, RULE_TARGETS } from "../../quality/rules.ts";
import { readInstant } from "../../query/filter/instant.ts";
import { QualityRule } from "../item-shapes.ts";
import { type Api, onlyKeys } from "../route.ts";

const tag = "quality-rules";
const name = z.object({ name: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, "must be lower-case letters, digits and _") });

/** Rules over answers and reasoning, which may send calls to review. */
export function qualityRuleRoutes(api: Api): void {
  addRules(api);
  addMarking(api);
}

function addRules({ route, services: { writer } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/quality-rules",
      tag,
      summary: "Built-in rules and those of the project",
      scope: "read",
      answer: z.object({ data: z.array(QualityRule) }),
    },
    async ({ projectId, query }) => {
      onlyKeys(query, []);
      return { data: withBuiltIn(await readRules(writer.sql, writer.schema, projectId)) };
    },
  );
  route(
    {
      method: "put",
      path: "/api/quality-rules/{name}",
      tag,
      summary: "Make or change a rule; of a built-in one, whether it marks",
      description:
        "Patterns are RE2's: no pattern takes more than linear time. Calls received from now on are looked at once a minute; older ones by POST /api/quality-rules/apply.",
      refusals: [409],
      createsByName: true,
      scope: "admin",
      params: name,
      body: z.strictObject({
        target: z.enum(RULE_TARGETS).default("output"),
        pattern: z.string().min(1).max(1_000).nullable().default(null),
        marks: z.boolean().default(false),
      }),
      answer: QualityRule,
    },
    async ({ projectId, actor, params, body }) => shown(await putRule(writer, { projectId, actor, name: params.name }, body)),
  );
  route(
    {
      method: "delete",
      path: "/api/quality-rules/{name}",
      tag,
      summary: "Delete a rule; a built-in one no longer marks",
      scope: "admin",
      params: name,
      answer: z.object({ deleted: z.literal(true) }),
    },
    async ({ projectId, actor, params, query }) => {
      onlyKeys(query, []);
      if (await deleteRule(writer, { projectId, actor, name: params.name })) return { deleted: true };
      throw new RequestError("not_found", "there is no such rule");
    },
  );
}

function addMarking({ route, services: { writer, refine } }: Api): void {
  route(
    {
      method: "post",
      path: "/api/quality-rules/apply",
      tag,
      summary: "Look at calls received in a period, and send those to review in which a rule that marks sees something",
      description: "Calls that were judged before stay as they are.",
      scope: "admin",
      body: z.strictObject({ from: z.string().default("-24h"), to: z.string().default("now") }),
      answer: z.object({ looked_at: z.number(), marked: z.number() }),
    },
    async ({ projectId, actor, body }) => {
      const now = new Date();
      const instant = (key: "from" | "to"): Date => {
        const read = readInstant(body[key], now);
        if (read === undefined) throw new RequestError("bad_request", `${key} is no time such as -24h, 2026-11-21 or 2026-11-21T08:15:00Z`);
        return new Date(read);
      };
      const rules = judgeOf(await readRules(writer.sql, writer.schema, projectId));
      return markFindings({ writer, refine, projectId, actor }, rules, { from: instant("from"), to: instant("to") });
    },
  );
}

const shown = (rule: StoredRule): object => ({
  ...rule,
  built_in: Object.hasOwn(BUILT_IN_RULES, rule.name),
  description: BUILT_IN_RULES[rule.name] ?? null,
});

function withBuiltIn(rules: readonly StoredRule[]): object[] {
  const named = new Set(rules.map((rule) => rule.name));
  const others = Object.keys(BUILT_IN_RULES).filter((each) => !named.has(each));
  const target = (each: string) => (each === "unsure_reasoning" ? "reasoning" : "output");
  return [...others.map((each) => shown({ name: each, target: target(each), pattern: null, marks: false })), ...rules.map(shown)];
}
