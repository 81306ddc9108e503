import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "./source-files.ts";

const run = promisify(execFile);

/** An application's folder that holds nothing but the SDK, as `npm install` of its tarball leaves it. */
export interface PackedSdk extends Disposable {
  readonly folder: string;
  /** Copies files of the repository's `examples` folder into it. */
  copyExamples(): void;
  /** Makes JavaScript of its examples, as TypeScript does for runtimes that do not know `using`. */
  compileExamples(): Promise<void>;
  /** Checks the types of all its files, and of the SDK's declarations, as strictly as TypeScript can. Resolves with what is wrong. */
  checkTypes(): Promise<string>;
  /** The same for one file alone, in an application whose settings name no types. */
  checkTypesOf(file: string): Promise<string>;
  /** Runs a file of it with this Node, or another, and resolves with what it wrote; rejects when it fails. */
  run(file: string, env?: Readonly<Record<string, string>>, node?: string): Promise<string>;
}

const STRICT = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ["*.ts"],
};

const written = ({ stdout }: { readonly stdout: string }): string => stdout;

/** Packs the SDK as a release does, out of a copy of its source, and installs it with its own dependencies and no others. */
export async function installPackedSdk(): Promise<PackedSdk> {
  const work = mkdtempSync(join(tmpdir(), "genspan-packed-"));
  const [source, folder] = [join(work, "source"), join(work, "application")];
  mkdirSync(source);
  for (const entry of ["sdk", "tsconfig.base.json"]) {
    cpSync(join(repositoryRoot, entry), join(source, entry), { recursive: true, filter: (path) => !/\/(dist|node_modules)$/.test(path) });
  }
  symlinkSync(join(repositoryRoot, "node_modules"), join(source, "node_modules"));
  const PATH = `${join(repositoryRoot, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  await run("npm", ["pack", "--silent", "--pack-destination", work], { cwd: join(source, "sdk"), env: { ...process.env, PATH } });

  const installed = join(folder, "node_modules/@genspan/sdk");
  mkdirSync(installed, { recursive: true });
  const [tarball = ""] = readdirSync(work).filter((name) => name.endsWith(".tgz"));
  await run("tar", ["-xzf", join(work, tarball), "-C", installed, "--strip-components=1"]);
  symlinkSync(join(repositoryRoot, "node_modules/@opentelemetry"), join(folder, "node_modules/@opentelemetry"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "application", private: true, type: "module" }));
  mkdirSync(join(folder, "node_modules/@types"));
  symlinkSync(join(repositoryRoot, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(STRICT));
  const compile = (...options: string[]): Promise<{ stdout: string }> =>
    run(process.execPath, [join(repositoryRoot, "node_modules/typescript/bin/tsc"), "-p", folder, ...options]);
  return {
    folder,
    copyExamples: () => cpSync(join(repositoryRoot, "examples"), folder, { recursive: true }),
    async compileExamples() {
      await compile("--noEmit", "false");
    },
    checkTypes: () => compile().then(written, written),
    checkTypesOf(file) {
      const { types: _, ...compilerOptions } = STRICT.compilerOptions;
      writeFileSync(join(folder, "tsconfig.alone.json"), JSON.stringify({ compilerOptions, files: [file] }));
      return compile("-p", join(folder, "tsconfig.alone.json")).then(written, written);
    },
    async run(file, env = {}, node = process.execPath) {
      const { stdout } = await run(node, [file], { cwd: folder, env: { PATH: process.env["PATH"] ?? "", ...env } });
      return stdout;
    },
    [Symbol.dispose]: () => rmSync(work, { recursive: true, force: true }),
  };
}
