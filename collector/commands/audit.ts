import { randomUUID } from "node:crypto";
import type { ISql } from "postgres";

/** What somebody did to something, as audit_log keeps it. */
export interface AuditEntry {
  readonly projectId: number;
  /** Who: a name, the beginning of a key, or `local`. */
  readonly actor: string;
  /** What, as noun.verb: generation.review. */
  readonly action: string;
  /** To what, as noun:id; undefined for what concerns many. */
  readonly subject?: string;
  /** Whatever is needed to understand it later, or to undo it; no content of prompts. */
  readonly details?: object;
}

/** Writes the entry and returns its id. Where it tells of a change, in the transaction of that change: neither can then be without the other. */
export async function audit(tx: ISql, schema: string, entry: AuditEntry): Promise<string> {
  const id = randomUUID();
  const details = entry.details === undefined ? null : JSON.stringify(entry.details);
  await tx`INSERT INTO ${tx(schema)}.audit_log (project_id, id, "time", actor, action, subject, details)
    VALUES (${entry.projectId}, ${id}, clock_timestamp(), ${entry.actor}, ${entry.action}, ${entry.subject ?? null}, ${details}::text::jsonb)`;
  return id;
}
