import type { TransactionSql } from "postgres";
import { type Counts, type Erasure, inTransaction } from "./delete-rows.ts";
import { filterWithout, holdsName, patternHoldsName } from "./rule-names.ts";
import type { Subject } from "./subject.ts";

/** What became of the rules that named a subject. */
export interface ErasedRules {
  /** Rows deleted, by table. */
  readonly deleted: Counts;
  /** Rules that stay without the name, by table. */
  readonly changed: Counts;
  /** Names of deleted rules, by which the audit log may call them. */
  readonly names: readonly string[];
}

/**
 * Takes a subject's name out of the rules of its project. A rule that watches nothing else goes, an alert with its history: without its condition it would
 * watch everybody. One that also watches others keeps watching them.
 */
export const eraseRules = (erasure: Erasure, subject: Subject): Promise<ErasedRules> =>
  inTransaction(erasure, async (tx) => {
    const { projectId } = erasure;
    // Nobody changes a filter between its reading and its writing.
    for (const table of ["alert_rules", "quality_rules"]) await tx`SELECT FROM ${tx(table)} WHERE project_id = ${projectId} FOR UPDATE`;
    const { alerts, qualityRules } = await namingRules(tx, projectId, subject);
    const gone = alerts.filter(({ filter }) => filter === undefined).map(({ id }) => id);
    const deleted: Counts = {};
    const count = (table: string, { length }: readonly unknown[]): void => {
      if (length > 0) deleted[table] = length;
    };
    for (const [table, id] of [
      ["alert_rules", "id"],
      ["alert_channels", "rule_id"],
      ["alert_events", "rule_id"],
    ] as const)
      count(table, await tx`DELETE FROM ${tx(table)} WHERE project_id = ${projectId} AND ${tx(id)} = ANY (${gone}::uuid[]) RETURNING 1`);
    count(
      "quality_rules",
      await tx`DELETE FROM quality_rules WHERE project_id = ${projectId} AND name = ANY (${qualityRules}) RETURNING 1`,
    );
    const stay = alerts.filter(({ filter }) => filter !== undefined);
    for (const { id, filter = "", name } of stay)
      await tx`UPDATE alert_rules SET name = ${holdsName(name, subject) ? `erased ${id}` : name}, updated_at = clock_timestamp(),
        condition = jsonb_set(condition, '{filter}', to_jsonb(${filter}::text)) WHERE project_id = ${projectId} AND id = ${id}`;
    return { deleted, changed: stay.length > 0 ? { alert_rules: stay.length } : {}, names: qualityRules };
  });

/** The rules that name a subject, a line of JSON per row. */
export async function* readNamingRules(place: Omit<Erasure, "id">, subject: Subject): AsyncGenerator<string> {
  const { projectId } = place;
  yield* await inTransaction(place, async (tx) => {
    const { alerts, qualityRules } = await namingRules(tx, projectId, subject);
    const rows = await tx<{ line: string }[]>`
      SELECT json_build_object('table', 'alert_rules', 'row', to_jsonb(t) - 'project_id')::text AS line FROM alert_rules t
      WHERE project_id = ${projectId} AND id = ANY (${alerts.map(({ id }) => id)}::uuid[])
      UNION ALL SELECT json_build_object('table', 'quality_rules', 'row', to_jsonb(t) - 'project_id')::text FROM quality_rules t
      WHERE project_id = ${projectId} AND name = ANY (${qualityRules})`;
    return rows.map(({ line }) => `${line}\n`);
  });
}

interface NamingAlert {
  readonly id: string;
  readonly name: string;
  /** What stays of its filter; undefined where the rule goes. */
  readonly filter: string | undefined;
}

async function namingRules(tx: TransactionSql, projectId: number, subject: Subject) {
  const alerts = await tx<{ id: string; name: string; filter: string }[]>`
    SELECT id, name, coalesce(condition ->> 'filter', '') AS filter FROM alert_rules WHERE project_id = ${projectId}`;
  const rules = await tx<{ name: string; pattern: string | null }[]>`
    SELECT name, pattern FROM quality_rules WHERE project_id = ${projectId}`;
  return {
    alerts: alerts.flatMap((alert): NamingAlert[] => {
      const filter = filterWithout(alert.filter, subject);
      return filter === alert.filter && !holdsName(alert.name, subject) ? [] : [{ ...alert, filter }];
    }),
    qualityRules: rules
      .filter(({ name, pattern }) => pattern !== null && (holdsName(name, subject) || patternHoldsName(pattern, subject)))
      .map(({ name }) => name),
  };
}
