import type { Sql } from "../../schema/connect.ts";
import { migrate } from "../../schema/migrate.ts";
import { defaultArchive, eraserOf } from "../app/privacy.ts";
import type { ArchiveOptions, DatabaseOptions, PrunedRows, PruneOptions, RestoreOptions } from "../cli/actions.ts";
import { CommandError, EXIT } from "../cli/exit-codes.ts";
import { audit } from "../commands/audit.ts";
import { countUnlinked, pruneUnlinked } from "../commands/prune-unlinked.ts";
import { isContentName } from "../dialects/content-names.ts";
import { knownFolders } from "../jobs/archive/folders.ts";
import { type RemoveContentOptions, type RemovedContent, removeContent } from "../jobs/archive/remove-content.ts";
import { restoreContent } from "../jobs/archive/restore.ts";
import { dropExpired, previewExpired } from "../jobs/retention.ts";
import { createPool } from "../query/pool.ts";
import { archiveAccess } from "./archive.ts";
import { withOwner } from "./database.ts";
import type { Host } from "./host.ts";

const CLI = "cli";
/** Deeds on all projects are noted in the first one's log. */
const FIRST_PROJECT = 1;

const withTables = <T>(options: DatabaseOptions, work: (sql: Sql) => Promise<T>): Promise<T> =>
  withOwner(options, false, async (url) => {
    await migrate({ url, schema: options.schema });
    const sql = createPool(url, 2);
    try {
      return await work(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  });

const asRows = (removed: RemovedContent): PrunedRows[] =>
  Object.entries(removed).map(([table, rows]) => ({ table, partition: null, rows }));

/** Removes what is older than asked, or says what would go. */
export const prune = (options: PruneOptions, host: Host): Promise<readonly PrunedRows[]> =>
  withTables(options, async (sql) => {
    const { schema, before, dryRun, what, projectId } = options;
    if (what === "unlinked") {
      const unlinked = { sql, schema, projectId, before };
      const eraseFiles = eraserOf(archiveAccess({ sql, schema }, { dataDir: options.dataDir, archiveFolders: [] }, host));
      const rows = dryRun ? await countUnlinked(unlinked) : await pruneUnlinked({ ...unlinked, eraseFiles, actor: CLI });
      return [{ table: "generation_logs", partition: null, rows }];
    }
    if (what === "content") {
      const removal = { sql, schema, before, dryRun, isContentName, keepChars: options.keepChars };
      return noted(removal, "prune.content", await removeContent(removal));
    }
    const expired = await previewExpired(sql, { schema, before });
    if (dryRun) return expired;
    const { dropped, deletedRows, busy, failed } = await dropExpired(sql, { schema, before });
    const details = { before: before.toISOString(), partitions: dropped.length, rows: deletedRows, busy };
    await audit(sql, schema, { projectId: FIRST_PROJECT, actor: CLI, action: "prune", details });
    const [first] = failed;
    if (first !== undefined)
      throw new CommandError(
        EXIT.failure,
        `${first.relation} could not be removed (${first.code}), what else was due is: see what depends on it.`,
      );
    return expired.filter(({ table }) => !busy.includes(table));
  });

/** Moves old content into compressed files. */
export const archive = (options: ArchiveOptions): Promise<readonly PrunedRows[]> =>
  withTables(options, async (sql) => {
    const { schema, before, dryRun } = options;
    const archiveFolder = options.folder ?? defaultArchive(options.dataDir);
    const removal = { sql, schema, before, dryRun, archiveFolder, isContentName, keepChars: 0 };
    return noted(removal, "archive.create", await removeContent(removal));
  });

/** Says in the audit log what went out of which tables. */
async function noted(
  { sql, schema, before, dryRun }: RemoveContentOptions,
  action: string,
  removed: RemovedContent,
): Promise<PrunedRows[]> {
  if (dryRun !== true)
    await audit(sql, schema, { projectId: FIRST_PROJECT, actor: CLI, action, details: { before: before.toISOString(), rows: removed } });
  return asRows(removed);
}

/** Brings archived content back into its rows. */
export const restore = (options: RestoreOptions, { terminal }: Host) =>
  withTables(options, async (sql) => {
    const { folder, dataDir, schema } = options;
    const known = folder === undefined ? await knownFolders({ sql, schema, folders: [defaultArchive(dataDir)] }) : undefined;
    if (known !== undefined && known.unreachable.length > 0)
      terminal.note(
        `Archived content lies in ${known.unreachable.join(", ")}, too, which this machine does not have: give its place with --folder.`,
      );
    const report = await restoreContent({ sql, ...options, folders: folder === undefined ? (known?.reachable ?? []) : [folder] });
    await audit(sql, schema, { projectId: FIRST_PROJECT, actor: CLI, action: "archive.restore", details: { ...report } });
    return report;
  });
