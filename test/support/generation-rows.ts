import type { Sql } from "../../schema/connect.ts";

/** Columns of generation_logs that a test sets; everything else is unknown. */
export type GenerationRow = Readonly<Record<string, unknown>> & { readonly start_time?: Date | string };

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

/** Ids of the n-th made-up call. */
export const idsOf = (n: number): { trace_id: string; span_id: string } => ({ trace_id: hex(n, 32), span_id: hex(n, 16) });
export const generationId = (n: number): string => `${hex(n, 32)}-${hex(n, 16)}`;

/** Stores made-up calls as project 1 (or as their project_id says); the n-th is `first + n`. */
export async function storeGenerations(owner: Sql, rows: readonly GenerationRow[], first = 1): Promise<void> {
  const now = new Date();
  for (const [i, row] of rows.entries()) {
    const start_time = row.start_time ?? now;
    const times = { start_time, logged_at: start_time, updated_at: now, received_at: now };
    const full = { project_id: 1, ...idsOf(first + i), dialect: "semconv", generation_status: "success", ...times, ...row };
    await owner`INSERT INTO generation_logs ${owner(full)}`;
  }
}
