import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./source-files.ts";

/** What is installed, generated or somebody's data: no part of the source. */
const LEFT_OUT = new Set(["node_modules", ".git", ".cache", "data", "coverage"]);

/** Copies the source of this checkout, without what is installed or generated, into the folder `target`, which must not exist yet. */
export function copyCheckout(target: string): void {
  mkdirSync(target);
  for (const entry of readdirSync(repositoryRoot)) {
    if (LEFT_OUT.has(entry)) continue;
    cpSync(join(repositoryRoot, entry), join(target, entry), {
      recursive: true,
      filter: (source) => !LEFT_OUT.has(source.slice(source.lastIndexOf("/") + 1)),
    });
  }
}

/** Lets a copy use the packages installed here. */
export const linkPackages = (target: string): void => symlinkSync(join(repositoryRoot, "node_modules"), join(target, "node_modules"));
