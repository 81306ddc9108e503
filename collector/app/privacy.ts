import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Sql } from "../../schema/connect.ts";
import { dropSqlLogin } from "../../schema/sql-login.ts";
import type { Services } from "../api/services.ts";
import type { ProjectEnd } from "../commands/delete-project.ts";
import { postgresOptions } from "../config/questions.ts";
import { eraseFromArchive, eraseProjectFiles, readFromArchive } from "../jobs/archive/erase-files.ts";
import { knownFolders } from "../jobs/archive/folders.ts";
import { withArchive } from "../jobs/archive/lock.ts";
import type { Tombstones } from "../jobs/tombstones.ts";
import type { AppOptions } from "./context.ts";
import type { Database } from "./database.ts";

const FOLDER = "archive";

/** Where archived content lies unless the configuration says otherwise. */
export const defaultArchive = (dataDir: string): string => join(dataDir, FOLDER);

export interface ArchiveAccess {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Looked at besides those that the database knows. */
  readonly folders: readonly string[];
  /** Stand in for as many that this machine does not have. */
  readonly movedTo?: readonly string[];
  /** Told which folders with archived content this machine does not have. */
  readonly onUnreachable?: (folders: readonly string[]) => void;
}

async function reachableFolders({ movedTo = [], onUnreachable, ...access }: ArchiveAccess, projectId: number) {
  const { reachable, unreachable } = await knownFolders({ ...access, projectId, folders: [...access.folders, ...movedTo] });
  const unreached = Math.max(0, unreachable.length - movedTo.length);
  if (unreached > 0) onUnreachable?.(unreachable);
  return { reachable, unreached };
}

/** Takes what was erased out of the archive's files. */
export const eraserOf =
  (access: ArchiveAccess): Services["erasing"]["eraseFiles"] =>
  async (projectId, spans, subject) => {
    const { reachable, unreached } = await reachableFolders(access, projectId);
    return withArchive(access.sql, access.schema, async () => {
      let rows = 0;
      for (const folder of reachable) rows += await eraseFromArchive(folder, projectId, { spans, subject });
      return { rows, unreached };
    });
  };

/** Tells what the archive's files hold of a subject, a line of JSON per row, each once, and last how many folders could not be looked into. */
export const archiveReaderOf = (access: ArchiveAccess): Services["erasing"]["readFiles"] =>
  async function* (projectId, spans, subject) {
    const { reachable, unreached } = await reachableFolders(access, projectId);
    const told = new Set<string>();
    for (const folder of reachable) {
      for await (const { table, key, columns } of readFromArchive(folder, projectId, { spans, subject })) {
        const line = JSON.stringify({ table, archived: { ...key, ...columns } });
        // What was restored and archived again stands there twice.
        const hash = createHash("sha256").update(line).digest("base64");
        if (!told.has(hash)) yield `${line}\n`;
        told.add(hash);
      }
    }
    if (unreached > 0) yield `${JSON.stringify({ table: "archive_folders", row: { unreached } })}\n`;
  };

/** What a deleted project leaves outside of the tables: its files in the archive's folders, and its logins; `url` is the owner's. */
export const projectEndIn = (access: ArchiveAccess, url: string): ProjectEnd => ({
  async eraseFiles(projectId) {
    const { reachable, unreached } = await reachableFolders(access, projectId);
    const files = await withArchive(access.sql, access.schema, async () =>
      reachable.reduce((sum, folder) => sum + eraseProjectFiles(folder, projectId), 0),
    );
    return { files, unreached };
  },
  dropLogin: async (login) => void (await dropSqlLogin({ url, schema: access.schema, login })),
});

/** What erasures, and the ends of projects, do outside of the tables. */
export function removalOf(
  { config, dataDir, schema }: AppOptions,
  database: Database,
  tombstones: Tombstones,
): Pick<Services, "erasing" | "projectEnd"> {
  const folders = [postgresOptions(config).contentArchive ?? defaultArchive(dataDir)];
  const access = { sql: database.pools.owner, schema, folders };
  return {
    erasing: { eraseFiles: eraserOf(access), readFiles: archiveReaderOf(access), onBuried: () => tombstones.refresh() },
    projectEnd: projectEndIn(access, database.url),
  };
}
