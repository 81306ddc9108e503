import { parseComponentId } from "./component-id.ts";
import { isTree } from "./merge.ts";
import { list, type Place, text } from "./shape.ts";

/** A signal's way through the components, by their ids. */
export interface Pipeline {
  readonly signal: "traces" | "logs";
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

export interface Service {
  /** Extensions that run. */
  readonly extensions: readonly string[];
  /** By pipeline id. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
}

type Defined = { readonly has: (id: string) => boolean; readonly size: number };

interface ServiceContext {
  /** Faults of form. */
  readonly loading: string[];
  /** Faults of meaning. */
  readonly meaning: string[];
  readonly components: Readonly<Record<"receivers" | "processors" | "exporters" | "extensions", Defined>>;
}

const SIGNALS = ["traces", "logs"] as const;
const PARTS = ["receivers", "processors", "exporters"] as const;

/** Reads `service` and checks that everything it refers to is there. Wording: otelcol/config.go, service/pipelines/config.go. */
export function readService(value: unknown, context: ServiceContext): Service {
  const { loading, meaning, components } = context;
  if (components.receivers.size === 0) meaning.push("no receiver configuration specified in config");
  if (components.exporters.size === 0) meaning.push("no exporter configuration specified in config");
  const tree = isTree(value) ? value : {};
  for (const key of Object.keys(tree)) {
    if (key !== "extensions" && key !== "pipelines") loading.push(`service: has invalid keys: ${key} (valid keys: extensions, pipelines)`);
  }
  const extensions = references(tree["extensions"], { path: "service::extensions", problems: loading });
  for (const id of extensions) {
    if (!components.extensions.has(id)) meaning.push(`service::extensions: references extension "${id}" which is not configured`);
  }
  const pipelines = new Map<string, Pipeline>();
  const given = isTree(tree["pipelines"]) ? Object.entries(tree["pipelines"]) : [];
  if (given.length === 0) meaning.push("service::pipelines: service must have at least one pipeline");
  for (const [key, body] of given) {
    const id = parseComponentId(key);
    if ("fault" in id) loading.push(`service::pipelines: ${id.fault}`);
    else if (!isSignal(id.type))
      loading.push(`service::pipelines: unknown signal "${id.type}" in "${id.text}" (valid values: [${SIGNALS.join(" ")}])`);
    else pipelines.set(id.text, readPipeline(id.text, id.type, { ...context, body }));
  }
  meaning.push(...sharedReceivers(pipelines));
  return Object.freeze({ extensions, pipelines });
}

/** Two pipelines of one signal on one receiver would store everything twice; the Collector's fan-out has no meaning here yet. */
function sharedReceivers(pipelines: ReadonlyMap<string, Pipeline>): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const [id, { signal, receivers }] of pipelines) {
    for (const receiver of receivers) {
      const owner = owners.get(`${signal} ${receiver}`);
      if (owner !== undefined)
        faults.push(
          `service::pipelines::${id}: receiver "${receiver}" already feeds pipeline "${owner}"; one pipeline a signal is supported`,
        );
      owners.set(`${signal} ${receiver}`, id);
    }
  }
  return faults;
}

const isSignal = (type: string): type is Pipeline["signal"] => (SIGNALS as readonly string[]).includes(type);

function readPipeline(id: string, signal: Pipeline["signal"], context: ServiceContext & { readonly body: unknown }): Pipeline {
  const path = `service::pipelines::${id}`;
  const tree = isTree(context.body) ? context.body : {};
  for (const key of Object.keys(tree)) {
    if (!(PARTS as readonly string[]).includes(key))
      context.loading.push(`${path}: has invalid keys: ${key} (valid keys: ${PARTS.join(", ")})`);
  }
  const pipeline = {
    signal,
    receivers: references(tree["receivers"], { path: `${path}::receivers`, problems: context.loading }),
    processors: references(tree["processors"], { path: `${path}::processors`, problems: context.loading }),
    exporters: references(tree["exporters"], { path: `${path}::exporters`, problems: context.loading }),
  };
  checkPipeline(path, pipeline, context);
  return Object.freeze(pipeline);
}

function checkPipeline(path: string, pipeline: Pipeline, { meaning, components }: ServiceContext): void {
  if (pipeline.receivers.length === 0) meaning.push(`${path}: must have at least one receiver`);
  if (pipeline.exporters.length === 0) meaning.push(`${path}: must have at least one exporter`);
  for (const part of PARTS) {
    const kind = part.slice(0, -1);
    for (const [i, id] of pipeline[part].entries()) {
      if (pipeline[part].indexOf(id) < i) meaning.push(`${path}: references ${kind} "${id}" multiple times`);
      else if (!components[part].has(id)) meaning.push(`${path}: references ${kind} "${id}" which is not configured`);
    }
  }
}

function references(value: unknown, place: Place): readonly string[] {
  if (value === undefined || value === null) return [];
  return list(text)(value, place).map((id) => id.trim());
}
