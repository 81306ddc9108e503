import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNode22, type Node22 } from "../../support/node-22.ts";
import { installPackedSdk, type PackedSdk } from "../../support/packed-sdk.ts";
import { type SdkRig, startSdkRig } from "../../support/sdk-rig.ts";
import { repositoryRoot } from "../../support/source-files.ts";

const run = promisify(execFile);

let rig: SdkRig;
let application: PackedSdk;
let provider: Server;
let providerUrl: string;
let node22: Node22;

/** Answers like OpenAI's chat completions. */
function startProvider(): Promise<string> {
  provider = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        id: "chatcmpl-1",
        model: "gpt-5-nano-2025-08-07",
        created: 1_763_000_000,
        choices: [{ index: 0, message: { role: "assistant", content: "What never moves?" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 14, completion_tokens: 5, total_tokens: 19 },
      }),
    );
  });
  return new Promise((resolve) => {
    provider.listen(0, "127.0.0.1", () => {
      const address = provider.address();
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
    });
  });
}

beforeAll(async () => {
  [rig, application, providerUrl, node22] = await Promise.all([startSdkRig(), installPackedSdk(), startProvider(), findNode22()]);
});

afterAll(async () => {
  provider?.closeAllConnections();
  provider?.close();
  application?.[Symbol.dispose]();
  await rig?.[Symbol.asyncDispose]();
});

const installedFile = (name: string): string => readFileSync(join(application.folder, "node_modules/@genspan/sdk", name), "utf8");
const readme = (): string => installedFile("README.md");

/** The example of the README, as it stands. */
const example = (): string => /```js\n([\s\S]*?)```/.exec(readme())?.[1] ?? "";

describe("the declarations", () => {
  it("need neither the types of Node nor a word about them in an application's settings", async () => {
    writeFileSync(
      join(application.folder, "plain.ts"),
      'import { generate, startTracing } from "@genspan/sdk";\nstartTracing({ serviceName: "a" });\nawait generate({ model: "m" }, () => "text");\n',
    );
    expect(await application.checkTypesOf("plain.ts")).toBe("");
  });
});

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
}
const manifest = (): Manifest => JSON.parse(installedFile("package.json")) as Manifest;

describe("the example of the README", () => {
  it("has about ten lines", () => {
    const lines = example()
      .split("\n")
      .filter((line) => line.trim() !== "");
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(12);
  });

  it("runs as it stands in an empty project on this Node, and leaves its row", () => runsAsItStands(process.execPath, "now"));

  it("does so on Node 22", ({ skip }) => {
    if ("missing" in node22) return skip(node22.missing);
    return runsAsItStands(node22.path, "before");
  });

  async function runsAsItStands(node: string, environment: string): Promise<void> {
    writeFileSync(join(application.folder, "example.mjs"), example());
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: rig.program.otlpUrl,
      OTEL_RESOURCE_ATTRIBUTES: `deployment.environment.name=${environment}`,
    };
    const { stderr } = await run(node, ["example.mjs"], { cwd: application.folder, env: { ...env, OPENAI_BASE_URL: providerUrl } });
    expect(stderr).toBe("");
    await rig.rows(
      `SELECT service_name, generation_status, provider_name, model_name, prompt_template_name, prompt_template_version, tokens_prompt::int, tokens_completion::int,
         response_finish_reason, response_id, entity_type, entity_id
       FROM generation_logs WHERE environment = '${environment}'`,
      [
        {
          service_name: "riddles",
          generation_status: "success",
          provider_name: "openai",
          model_name: "gpt-5-nano",
          prompt_template_name: "riddle",
          prompt_template_version: "3",
          tokens_prompt: 14,
          tokens_completion: 5,
          response_finish_reason: "stop",
          response_id: "chatcmpl-1",
          entity_type: "riddle",
          entity_id: "What never moves?",
        },
      ],
    );
  }
});

/** Every file of the package with this ending, with its text. */
function packed(ending: string): { readonly name: string; readonly text: string }[] {
  const names = readdirSync(join(application.folder, "node_modules/@genspan/sdk"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(ending)).map((name) => ({ name, text: installedFile(name) }));
}

describe("the package", () => {
  it("depends on OpenTelemetry alone, pinned, and names all that it imports", () => {
    const { dependencies } = manifest();
    const imported = packed(".js")
      .concat(packed(".d.ts"))
      .flatMap(({ text }) => [...text.matchAll(/(?:from|import\() ?"([^".][^"]*)"/g)].map(([, specifier]) => specifier!))
      .filter((specifier) => !specifier.startsWith("node:"))
      .map((specifier) =>
        specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    expect(imported.length).toBeGreaterThan(10);
    expect([...new Set(imported)].toSorted()).toEqual(Object.keys(dependencies).toSorted());
    expect(
      Object.entries(dependencies).filter(([name, version]) => !name.startsWith("@opentelemetry/") || !/^\d+\.\d+\.\d+$/.test(version)),
    ).toEqual([]);
  });

  it("holds JavaScript with its types, a licence and the README, and no sources", () => {
    expect(packed(".ts").filter(({ name }) => !name.endsWith(".d.ts"))).toEqual([]);
    expect(
      packed(".js")
        .map(({ name }) => name.replace(/\.js$/, ".d.ts"))
        .toSorted(),
    ).toEqual(
      packed(".d.ts")
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(installedFile("LICENSE")).toContain("Apache License");
  });

  it("runs with its own dependencies and nothing else in reach", async () => {
    const folder = join(application.folder, "strict");
    mkdirSync(join(folder, "node_modules/@opentelemetry"), { recursive: true });
    mkdirSync(join(folder, "node_modules/@genspan"), { recursive: true });
    await run("cp", ["-r", join(application.folder, "node_modules/@genspan/sdk"), join(folder, "node_modules/@genspan/sdk")]);
    for (const name of Object.keys(manifest().dependencies))
      symlinkSync(join(repositoryRoot, "node_modules", name), join(folder, "node_modules", name));
    writeFileSync(
      join(folder, "app.mjs"),
      'import * as sdk from "@genspan/sdk"; import * as names from "@genspan/sdk/attributes"; console.log(typeof sdk.generate, names.GEN_AI_REQUEST_MODEL);',
    );
    expect((await run(process.execPath, ["app.mjs"], { cwd: folder })).stdout).toBe("function gen_ai.request.model\n");
  });

  it("has types that an application compiles against, strictly", async () => {
    const source = [
      'import { generate, read, startGeneration, startTracing, type Tracing } from "@genspan/sdk";',
      'const tracing: Tracing = startTracing({ content: { images: "none" }, pending: "await" });',
      'const answer: { text: string } = await generate({ model: "m", params: { temperature: 1 } }, async () => ({ text: "a" }), ({ text }) => ({ text }));',
      'using generation = startGeneration({ model: answer.text, messages: [{ role: "user", content: "hi" }] });',
      "for await (const chunk of generation.stream((async function* () { yield 1; })(), read.openaiChat)) chunk.toFixed();",
      "await tracing.shutdown({ timeoutMillis: 5 });",
    ];
    writeFileSync(join(application.folder, "app.ts"), source.join("\n"));
    expect(await application.checkTypes()).toBe("");
  });

  it("explains each of its exports", () => {
    const declared = packed(".d.ts")
      .map(({ text }) => text)
      .join("\n");
    const exported = [...installedFile("dist/index.d.ts").matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names]) =>
      names!.split(",").map((name) => name.replace(/^\s*type\s/, "").trim()),
    );
    const isExplained = (name: string): boolean =>
      new RegExp(`\\*/\\s*export (?:declare )?(?:const|function|interface|type|class) ${name}\\b`).test(declared);
    const names = exported.filter((name) => name !== "");
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !isExplained(name))).toEqual([]);
  });

  it("says the version of its manifest", async () => {
    const { VERSION } = (await import(join(application.folder, "node_modules/@genspan/sdk/dist/core/scope.js"))) as { VERSION: string };
    expect(VERSION).toBe((JSON.parse(installedFile("package.json")) as { version: string }).version);
    expect(existsSync(join(repositoryRoot, "sdk/README.md"))).toBe(true);
  });
});
