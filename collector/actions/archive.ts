import { existsSync } from "node:fs";
import { type ArchiveAccess, defaultArchive } from "../app/privacy.ts";
import type { ConnectionOptions } from "../cli/actions.ts";
import { CommandError, EXIT } from "../cli/exit-codes.ts";
import type { Writer } from "../commands/writer.ts";
import type { Host } from "./host.ts";

/** How a command finds archived content. Throws CommandError for a folder that was given and is not there. */
export function archiveAccess(
  writer: Writer,
  { dataDir, archiveFolders }: Pick<ConnectionOptions, "dataDir" | "archiveFolders">,
  { terminal }: Host,
): ArchiveAccess {
  const missing = archiveFolders.find((folder) => !existsSync(folder));
  if (missing !== undefined) throw new CommandError(EXIT.notFound, `There is no folder ${missing}.`);
  return {
    ...writer,
    folders: [defaultArchive(dataDir)],
    movedTo: archiveFolders,
    onUnreachable: (folders) =>
      terminal.note(
        `Archived content lies in ${folders.join(", ")}, which this machine does not have: do this again where it is, or tell its new place with --archive.`,
      ),
  };
}
