import { join } from "node:path";
import { dropSqlLogin } from "../../schema/sql-login.ts";
import type { Services } from "../api/services.ts";
import type { ProjectEnd } from "../commands/delete-project.ts";
import { postgresOptions } from "../config/questions.ts";
import { eraseFromArchive, eraseProjectFiles } from "../jobs/archive/erase-files.ts";
import type { Tombstones } from "../jobs/tombstones.ts";
import type { AppOptions } from "./context.ts";

const FOLDER = "archive";

/** Where archived content lies unless the configuration says otherwise. */
export const defaultArchive = (dataDir: string): string => join(dataDir, FOLDER);

/** Takes what was erased out of the archive's files. */
export const eraserOf =
  (folder: string): Services["erasing"]["eraseFiles"] =>
  (projectId, spans, { kind, value }) =>
    eraseFromArchive(folder, projectId, { spans, entity: kind === "entity" ? value : undefined });

/** What a deleted project leaves outside of the tables: its files in the archive's folder, and its logins. */
export const projectEndIn = (folder: string, { url, schema }: { readonly url: string; readonly schema: string }): ProjectEnd => ({
  eraseFiles: async (projectId) => eraseProjectFiles(folder, projectId),
  dropLogin: (login) => dropSqlLogin({ url, schema, login }),
});

/** What erasures, and the ends of projects, do outside of the tables; `url` is the owner's. */
export function removalOf(
  { config, dataDir, schema }: AppOptions,
  url: string,
  tombstones: Tombstones,
): Pick<Services, "erasing" | "projectEnd"> {
  const folder = postgresOptions(config).contentArchive ?? defaultArchive(dataDir);
  return {
    erasing: { eraseFiles: eraserOf(folder), onBuried: () => tombstones.refresh() },
    projectEnd: projectEndIn(folder, { url, schema }),
  };
}
