import type { TransactionSql } from "postgres";
import { type Origin, toOrigins } from "../origins/origin.ts";
import { noteOrigins } from "../origins/release.ts";
import { type Counts, type Erasure, inTransaction, originsOf, type Pointers } from "./delete-rows.ts";
import { entityOf, namingOf, type Subject } from "./subject.ts";

/**
 * Deletes what names the subject and belongs to no span: log records, items, images, refused bytes; and takes its name, and those of rules that held it, out
 * of the audit log.
 */
export async function deleteNamed(erasure: Erasure, subject: Subject, ruleNames: readonly string[]): Promise<Counts> {
  const counts: Counts = {};
  const { projectId } = erasure;
  await inTransaction(erasure, async (tx) => {
    const count = async (table: string, deleted: Promise<readonly unknown[]>): Promise<void> => {
      const { length } = await deleted;
      if (length > 0) counts[table] = (counts[table] ?? 0) + length;
    };
    if (subject.kind === "entity") {
      const { type, id } = entityOf(subject);
      for (const table of ["image_traces", "generation_items"])
        await count(
          table,
          tx`DELETE FROM ${tx(table)} WHERE project_id = ${projectId} AND entity_type = ${type} AND entity_id = ${id} RETURNING 1`,
        );
    }
    if (namingOf(subject) !== undefined) {
      await count("log_records", deleteLogs(tx, projectId, subject));
      await noteOrigins(tx, await namingResources(tx, projectId, subject));
      await count(
        "ingest_rejected",
        tx`DELETE FROM ingest_rejected WHERE project_id = ${projectId} AND position(convert_to(${subject.value}, 'UTF8') IN raw) > 0 RETURNING 1`,
      );
    }
    await count("audit_log", redactAudit(tx, projectId, { subject, ruleNames }));
  });
  return counts;
}

const names = (tx: TransactionSql, subject: Subject) => {
  const { value = "", attributes = "" } = namingOf(subject) ?? {};
  return tx`EXISTS (SELECT FROM jsonb_each_text(t.attributes) AS a (k, v) WHERE v = ${value} AND k ~* ${attributes})`;
};

async function deleteLogs(tx: TransactionSql, projectId: number, subject: Subject): Promise<readonly unknown[]> {
  const deleted = await tx<Pointers[]>`
    DELETE FROM log_records t WHERE project_id = ${projectId} AND trace_id IS NULL AND (${names(tx, subject)}
      OR resource_id IN (SELECT id FROM resources t WHERE project_id = ${projectId} AND ${names(tx, subject)})) RETURNING resource_id, scope_id`;
  await noteOrigins(tx, originsOf(projectId, deleted));
  return deleted;
}

/** Resources that name the subject go, too, where no row ever came to point to them. */
const namingResources = async (tx: TransactionSql, projectId: number, subject: Subject): Promise<Origin[]> =>
  toOrigins(
    await tx`SELECT project_id, 'resources' AS kind, id FROM resources t WHERE project_id = ${projectId} AND ${names(tx, subject)}`,
  );

interface Redaction {
  readonly subject: Subject;
  readonly ruleNames: readonly string[];
}

/** Entries stay, with their time, actor and action; only the name goes. */
async function redactAudit(tx: TransactionSql, projectId: number, { subject, ruleNames }: Redaction): Promise<readonly unknown[]> {
  const { kind, value } = subject;
  const values = kind === "entity" ? [value, entityOf({ kind, value }).id] : [value];
  await tx`SELECT set_config('genspan.erasing', 'on', true)`;
  const holds = values.map((each) => tx`jsonb_path_exists(details, '$.** ? (@ == $v)', jsonb_build_object('v', ${each}::text))`);
  return tx`UPDATE audit_log SET subject = 'erased', details = '{"erased": true}' WHERE project_id = ${projectId}
    AND (subject = ANY (${[value, ...ruleNames]}) OR subject LIKE ${`%:${likeText(value)}`} OR ${holds.reduce((all, each) => tx`${all} OR ${each}`)}) RETURNING 1`;
}

const likeText = (text: string): string => text.replace(/[\\%_]/g, "\\$&");
