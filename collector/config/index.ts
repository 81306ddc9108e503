import { parseComponentId } from "./component-id.ts";
import { COMPONENTS, type Component, type Kind, readComponent } from "./components.ts";
import { ConfigError } from "./config-error.ts";
import { expandTree } from "./expand.ts";
import { applySets, type ConfigFile, isTree, mergeFiles } from "./merge.ts";
import { type Pipeline, readService, type Service } from "./service.ts";

export type { AttributeAction, Component } from "./components.ts";
export { ConfigError } from "./config-error.ts";
export type { Endpoint } from "./shape.ts";
export type { Pipeline, Service };

/** A checked configuration: every default filled in, every reference known to exist. Components by id (`type` or `type/name`). */
export interface Config {
  readonly receivers: ReadonlyMap<string, Component<"receivers">>;
  readonly processors: ReadonlyMap<string, Component<"processors">>;
  readonly exporters: ReadonlyMap<string, Component<"exporters">>;
  readonly extensions: ReadonlyMap<string, Component<"extensions">>;
  readonly service: Service;
}

export interface LoadOptions {
  /** In order: later files override earlier ones. */
  readonly files: readonly ConfigFile[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `a.b.c=v`, applied after the files. */
  readonly sets?: readonly string[];
}

const SECTIONS = ["receivers", "processors", "exporters", "extensions", "connectors", "service"];

/**
 * Reads a configuration in the grammar of the OpenTelemetry Collector (a strict subset). Throws ConfigError with all faults at once:
 * loading faults begin with "failed to get config", faults of meaning with "invalid configuration".
 */
export function loadConfig(options: LoadOptions): { config: Config; warnings: readonly string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  const merged = applySets(mergeFiles(options.files, problems), options.sets ?? [], problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const tree = expandTree(merged, { env: options.env, problems, warnings });
  if (problems.length > 0) throw new ConfigError(problems);
  if (!isTree(tree) || Object.keys(tree).length === 0) throw new ConfigError(["invalid configuration: empty configuration file"]);

  const loading: string[] = [];
  for (const key of Object.keys(tree)) {
    if (!SECTIONS.includes(key))
      loading.push(`has invalid keys: ${key} (valid keys: ${SECTIONS.filter((name) => name !== "connectors").join(", ")})`);
    if (key === "connectors") loading.push("connectors: there are none in genspan");
  }
  const components = {
    receivers: readComponents("receivers", tree["receivers"], loading) as Config["receivers"],
    processors: readComponents("processors", tree["processors"], loading) as Config["processors"],
    exporters: readComponents("exporters", tree["exporters"], loading) as Config["exporters"],
    extensions: readComponents("extensions", tree["extensions"], loading) as Config["extensions"],
  };
  const meaning: string[] = [];
  const service = readService(tree["service"], { loading, meaning, components });
  const faults = [
    ...loading.map((fault) => `failed to get config: ${fault}`),
    ...meaning.map((fault) => `invalid configuration: ${fault}`),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  return { config: Object.freeze({ ...components, service }), warnings };
}

function readComponents(kind: Kind, value: unknown, problems: string[]): ReadonlyMap<string, unknown> {
  const components = new Map<string, unknown>();
  if (value === undefined || value === null) return components;
  if (!isTree(value)) {
    problems.push(`${kind}: expected a map`);
    return components;
  }
  for (const [key, body] of Object.entries(value)) {
    const id = parseComponentId(key);
    if ("fault" in id) problems.push(`${kind}: ${id.fault}`);
    else if (components.has(id.text)) problems.push(`${kind}: duplicate name "${id.text}" after unmarshaling ${key}`);
    else if (!(id.type in COMPONENTS[kind])) {
      problems.push(
        `${kind}: unknown type: "${id.type}" for id: "${id.text}" (valid values: [${Object.keys(COMPONENTS[kind]).join(" ")}])`,
      );
    } else components.set(id.text, { type: id.type, options: readComponent(kind, id.type, body, problems, `${kind}::${id.text}`) });
  }
  return components;
}
