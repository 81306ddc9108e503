import type { Sql, TransactionSql } from "../../../schema/connect.ts";
import { type ArchivedRow, archiveFiles, readRows } from "./archive-file.ts";
import { CONTENT_TABLES } from "./content-tables.ts";
import { isPart, noteCalls, writeColumns } from "./remove-content.ts";

export interface RestoreOptions {
  readonly sql: Sql;
  readonly schema: string;
  readonly folders: readonly string[];
  /** UTC days, both inclusive; undefined for all. */
  readonly fromDay?: string;
  readonly toDay?: string;
}

export interface RestoreReport {
  readonly files: number;
  readonly restored: number;
  /** Rows that are gone from the database, or whose table no longer exists. */
  readonly missing: number;
}

const BATCH_ROWS = 200;

/** Writes archived content back into its rows, the newest copy last; first characters that had stayed go over no full text. The files stay, and restoring twice changes nothing more. */
export async function restoreContent(options: RestoreOptions): Promise<RestoreReport> {
  const report = { files: 0, restored: 0, missing: 0 };
  const wanted = options.folders
    .flatMap(archiveFiles)
    .filter(({ day }) => day >= (options.fromDay ?? "") && day <= (options.toDay ?? "9999"));
  for (const { path } of wanted) {
    report.files++;
    let batch: ArchivedRow[] = [];
    const flush = async (): Promise<void> => {
      const { restored, missing } = await writeBack(options, batch);
      report.restored += restored;
      report.missing += missing;
      batch = [];
    };
    for await (const row of readRows(path)) {
      batch.push(row);
      if (batch.length >= BATCH_ROWS) await flush();
    }
    await flush();
  }
  return report;
}

function writeBack({ sql, schema }: RestoreOptions, rows: readonly ArchivedRow[]): Promise<Omit<RestoreReport, "files">> {
  return sql.begin(async (tx: TransactionSql) => {
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true)`;
    const report = { restored: 0, missing: 0 };
    for (const row of rows) {
      const table = CONTENT_TABLES.find((each) => each.name === row.table);
      const written = table === undefined ? 0 : await writeColumns(tx, table, row);
      report.restored += written;
      if (written === 0 && !isPart(row.columns)) report.missing++;
    }
    await noteCalls(tx, schema, rows);
    return report;
  }) as Promise<Omit<RestoreReport, "files">>;
}
