import type { Sql } from "postgres";
import { RequestError } from "../base/request-error.ts";
import { BUILT_IN_RULES, createJudge, type Judge, type RuleTarget } from "../quality/rules.ts";
import { audit } from "./audit.ts";
import type { Writer } from "./writer.ts";

/** A rule as it is stored; of a built-in one only whether it marks. */
export interface StoredRule {
  readonly name: string;
  readonly target: RuleTarget;
  /** NULL for a built-in rule. */
  readonly pattern: string | null;
  /** Whether a call without a judgement becomes pending_review when the rule sees something. */
  readonly marks: boolean;
}

/** What a project's rules say of a call, and which of their issues mark. */
export interface ProjectJudge {
  readonly judge: Judge;
  readonly marking: ReadonlySet<string>;
}

export const judgeOf = (rules: readonly StoredRule[]): ProjectJudge => ({
  judge: createJudge(rules.flatMap(({ name, target, pattern }) => (pattern === null ? [] : [{ name, target, pattern }]))),
  marking: new Set(rules.filter(({ marks }) => marks).map(({ name }) => name)),
});

export interface RuleChange {
  readonly projectId: number;
  readonly actor: string;
  readonly name: string;
}

const MAX_RULES = 100;

/** Makes or changes a rule. Throws `bad_request` for a pattern that is none, and for a pattern of a built-in rule. */
export async function putRule({ sql, schema }: Writer, change: RuleChange, rule: Omit<StoredRule, "name">): Promise<StoredRule> {
  const { projectId, actor, name } = change;
  const builtIn = Object.hasOwn(BUILT_IN_RULES, name);
  if (builtIn && rule.pattern !== null)
    throw new RequestError("bad_request", `${name} is built in and has no pattern of its own: give it another name`);
  if (!builtIn && rule.pattern === null) throw new RequestError("bad_request", "a rule of your own needs a pattern");
  if (rule.pattern !== null) checkPattern(rule.pattern);
  const stored = { ...rule, target: name === "unsure_reasoning" ? "reasoning" : rule.target } as const;
  await sql.begin(async (tx) => {
    const [count] =
      await tx`SELECT count(*)::int AS rules FROM ${tx(schema)}.quality_rules WHERE project_id = ${projectId} AND name <> ${name}`;
    if (Number(count?.["rules"]) >= MAX_RULES) throw new RequestError("conflict", `there are ${MAX_RULES} rules already`);
    const now = new Date();
    await tx`INSERT INTO ${tx(schema)}.quality_rules (project_id, name, target, pattern, marks, created_at, updated_at)
      VALUES (${projectId}, ${name}, ${stored.target}, ${stored.pattern}, ${stored.marks}, ${now}, ${now})
      ON CONFLICT (project_id, name) DO UPDATE SET target = excluded.target, pattern = excluded.pattern, marks = excluded.marks, updated_at = excluded.updated_at`;
    // What was received from now on is looked at; older calls by the command.
    await tx`INSERT INTO ${tx(schema)}.quality_progress (project_id, judged_until) VALUES (${projectId}, ${now}) ON CONFLICT DO NOTHING`;
    await audit(tx, schema, {
      projectId,
      actor,
      action: "quality-rule.put",
      subject: name,
      details: { marks: stored.marks, target: stored.target },
    });
  });
  return { name, ...stored };
}

function checkPattern(pattern: string): void {
  try {
    createJudge([{ name: "new", target: "output", pattern }]);
  } catch (error) {
    throw new RequestError("bad_request", `pattern: ${error instanceof Error ? error.message : "is none"} (the syntax is RE2's)`);
  }
}

/** False when there is no such rule. */
export const deleteRule = ({ sql, schema }: Writer, { projectId, actor, name }: RuleChange): Promise<boolean> =>
  sql.begin(async (tx) => {
    const gone = await tx`DELETE FROM ${tx(schema)}.quality_rules WHERE project_id = ${projectId} AND name = ${name} RETURNING 1`;
    if (gone.length > 0) await audit(tx, schema, { projectId, actor, action: "quality-rule.delete", subject: name });
    return gone.length > 0;
  });

export async function readRules(sql: Sql, schema: string, projectId: number): Promise<StoredRule[]> {
  const rows = await sql<StoredRule[]>`
    SELECT name, target, pattern, marks FROM ${sql(schema)}.quality_rules WHERE project_id = ${projectId} ORDER BY name`;
  return [...rows];
}
