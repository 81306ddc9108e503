import { RE2JS } from "re2js";
import { isPattern, oneOf, pattern, scalar, text } from "../scalars.ts";
import { type Check, checked, field, list, optional, type Section, section } from "../shape.ts";

const actionFields = {
  key: field(text, ""),
  action: optional(oneOf("insert", "update", "upsert", "delete", "hash", "extract", "convert")),
  value: optional(scalar),
  from_attribute: optional(text),
  /** Taken where `from_attribute` is not there, or alone. */
  default_value: optional(scalar),
  /** For extract, over the value; for delete and hash, over the names of attributes. */
  pattern: optional(pattern),
  converted_type: optional(oneOf("int", "double", "string")),
};

/** One action as the file has it; checked below, so that an extract has its pattern and a convert its type. */
export type AttributeAction = Section<typeof actionFields>;

/** Wording: internal/coreinternal/attraction of the Collector's contrib repository; at most one fault an action. */
function actionFault(rule: AttributeAction, at: string): string | undefined {
  const { action: name, pattern: regex, converted_type: type } = rule;
  const failed = "error creating AttrProc";
  const unused = (fields: string): string =>
    `${failed}. Action "${name}" does not use the ${fields} field. This must not be specified for ${at} action`;
  if (name === undefined) return `${failed} due to unsupported action "" at the ${at} actions`;
  const byName = name === "delete" || name === "hash";
  if (rule.key === "" && byName && regex === undefined) {
    return `${failed} due to missing required field (at least one of "key" and "pattern" have to be used) at the ${at} actions`;
  }
  if (rule.key === "" && !byName) return `${failed} due to missing required field "key" at the ${at} actions`;
  const sources = [rule.value, rule.from_attribute, rule.default_value].filter((source) => source !== undefined).length;
  if (name === "insert" || name === "update" || name === "upsert") {
    if (sources === 0)
      return `${failed}. Either field "value", "from_attribute" or "default_value" setting must be specified for ${at} action`;
    if (rule.value !== undefined && sources > 1) return `${failed} due to multiple value sources being set at the ${at} actions`;
    if (regex !== undefined) return unused('"pattern"');
  } else if (sources > 0) return unused('"value", "from_attribute" or "default_value"');
  if (name !== "convert") return type !== undefined ? unused('"converted_type"') : name === "extract" ? extractFault(regex, at) : undefined;
  if (regex !== undefined) return unused('"pattern"');
  return type === undefined
    ? `${failed} due to missing required field "converted_type" for action "convert" at the ${at} action`
    : undefined;
}

function extractFault(regex: string | undefined, at: string): string | undefined {
  if (regex === undefined)
    return `error creating AttrProc due to missing required field "pattern" for action "extract" at the ${at} action`;
  const compiled = RE2JS.compile(regex);
  const named = Object.keys(compiled.namedGroups()).length;
  if (named === 0) return `error creating AttrProc. Field "pattern" contains no named matcher groups at the ${at} actions`;
  return named < compiled.groupCount()
    ? `error creating AttrProc. Field "pattern" contains at least one unnamed matcher group at the ${at} actions`
    : undefined;
}

const pair = section({
  key: field(text, ""),
  /** Any value when left out. */
  value: optional(scalar),
});

const matchFields = {
  match_type: optional(oneOf("strict", "regexp")),
  services: field(list(text), [] as readonly string[]),
  span_names: field(list(text), [] as readonly string[]),
  span_kinds: field(list(text), [] as readonly string[]),
  attributes: field(list(pair), [] as readonly ReturnType<typeof pair>[]),
  resources: field(list(pair), [] as readonly ReturnType<typeof pair>[]),
};

/** Which items a processor works on: every property that is given must match. */
export type MatchProperties = Section<typeof matchFields>;

const KINDS = ["CLIENT", "CONSUMER", "INTERNAL", "PRODUCER", "SERVER"].map((kind) => `SPAN_KIND_${kind}`);

/** Wording: internal/filter/filterconfig and filterset of the Collector's contrib repository. */
const matchCheck: Check<MatchProperties> = (read, say) => {
  const { match_type, services, span_names, span_kinds, attributes, resources } = read;
  if (match_type === undefined) say("unrecognized match_type: '', valid types are: [regexp strict]");
  const given = [services, span_names, span_kinds, attributes, resources];
  if (given.every((property) => property.length === 0)) {
    say('at least one of "services", "span_names", "span_kinds", "attributes" or "resources" field must be specified');
  }
  for (const { key, value } of [...attributes, ...resources]) {
    if (key === "") say(`can't have empty key in the list of attributes`);
    if (match_type === "regexp" && value !== undefined && typeof value !== "string") {
      say(`match_type=regexp for "${key}" only supports Str, but found ${typeof value}`);
    }
  }
  if (match_type === "strict" && span_kinds.some((kind) => !KINDS.includes(kind))) {
    say(`span_kinds string must match one of the standard span kinds when match_type=strict: [${KINDS.join(" ")}]`);
  }
  if (match_type !== "regexp") return;
  const texts = [...services, ...span_names, ...span_kinds, ...[...attributes, ...resources].map(({ value }) => value ?? "")];
  if (!texts.every((each) => isPattern(String(each))))
    say(`error parsing regexp: the syntax is RE2's, without look-around and back-references`);
};

const NOT_HERE = {
  libraries: "not supported",
  log_bodies: "not supported",
  log_severity_texts: "not supported",
  log_severity_number: "not supported",
  regexp: "matches are not cached",
};

const match = checked(section(matchFields, NOT_HERE), matchCheck);

const fields = {
  /** Works on these items alone. */
  include: optional(match),
  /** Leaves these items as they are; looked at after `include`. */
  exclude: optional(match),
  actions: field(list(section(actionFields, { from_context: "what a request came with is not kept" })), [] as readonly AttributeAction[]),
};

export const attributes = checked(section(fields), ({ actions }: Section<typeof fields>, say) => {
  if (actions.length === 0) say('error creating "attributes" processor due to missing required field "actions"');
  for (const [i, action] of actions.entries()) {
    const fault = actionFault(action, `${i}-th`);
    if (fault !== undefined) say(fault);
  }
});

/** Whether the processor asks for what log records have not. */
export const matchesSpansOnly = ({ include, exclude }: ReturnType<typeof attributes>): boolean =>
  [include, exclude].some((each) => each !== undefined && each.services.length + each.span_names.length + each.span_kinds.length > 0);
