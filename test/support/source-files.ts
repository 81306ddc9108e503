import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

/** One text file of the repository; `path` is relative to its root, with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const NOT_OURS = new Set(["node_modules", "dist", ".git", ".cache", "data", "fixtures", "coverage"]);

/** Every file below `folder` (relative to the root) whose name ends in one of `endings`, without what is installed, generated or recorded. */
export function sourceFiles(folder: string, ...endings: readonly string[]): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory() && !NOT_OURS.has(entry.name)) visit(path);
      if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) {
        files.push({ path: relative(repositoryRoot, path).split(sep).join("/"), text: readFileSync(path, "utf8") });
      }
    }
  };
  visit(join(repositoryRoot, folder));
  return files;
}
