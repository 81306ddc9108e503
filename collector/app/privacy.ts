import { join } from "node:path";
import type { Sql } from "../../schema/connect.ts";
import { dropSqlLogin } from "../../schema/sql-login.ts";
import type { Log } from "../base/log.ts";
import type { ProjectEnd } from "../commands/delete-project.ts";
import type { EraseOptions } from "../commands/erase/index.ts";
import type { Config } from "../config/index.ts";
import { postgresOptions } from "../config/questions.ts";
import { isContentName } from "../dialects/content-names.ts";
import { eraseFromArchive, eraseProjectFiles } from "../jobs/archive/erase-files.ts";
import { createContentJob } from "../jobs/archive/index.ts";
import { createErasureSweep } from "../jobs/erasure-sweep.ts";
import { createTombstones, type Tombstones } from "../jobs/tombstones.ts";

export interface PrivacyInput {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Of that owner. */
  readonly url: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  readonly config: Config;
  readonly dataDir: string;
  readonly started: AsyncDisposableStack;
}

export interface Privacy {
  readonly tombstones: Tombstones;
  readonly erasing: Required<Pick<EraseOptions, "eraseFiles" | "onBuried">>;
  readonly projectEnd: ProjectEnd;
}

const FOLDER = "archive";

/** Where archived content lies unless the configuration says otherwise. */
export const defaultArchive = (dataDir: string): string => join(dataDir, FOLDER);

/** Takes what was erased out of the archive's files. */
export const eraserOf =
  (folder: string): Privacy["erasing"]["eraseFiles"] =>
  (projectId, spans, { kind, value }) =>
    eraseFromArchive(folder, projectId, { spans, entity: kind === "entity" ? value : undefined });

/** What a deleted project leaves outside of the tables: its files in the archive's folder, and its logins. */
export const projectEndIn = (folder: string, { url, schema }: { readonly url: string; readonly schema: string }): ProjectEnd => ({
  eraseFiles: async (projectId) => eraseProjectFiles(folder, projectId),
  dropLogin: (login) => dropSqlLogin({ url, schema, login }),
});

/** What keeps erased things erased, and old content out of the tables. */
export async function startPrivacy(input: PrivacyInput): Promise<Privacy> {
  const { sql, schema, holder, log, started } = input;
  const { contentRetentionMillis: retentionMillis, contentArchive } = postgresOptions(input.config);
  const tombstones = await createTombstones({ sql, schema, log });
  started.defer(() => tombstones.stop());
  const sweep = createErasureSweep({ sql, schema, holder, log });
  sweep.start();
  started.defer(() => sweep.stop());
  const content = createContentJob({ sql, schema, holder, log, retentionMillis, archiveFolder: contentArchive, isContentName });
  content.start();
  started.defer(() => content.stop());
  const folder = contentArchive ?? defaultArchive(input.dataDir);
  return {
    tombstones,
    erasing: { eraseFiles: eraserOf(folder), onBuried: () => tombstones.refresh() },
    projectEnd: projectEndIn(folder, input),
  };
}
