/** Grammar of component ids, `type` or `type/name`. Source: OpenTelemetry Collector, component/identifiable.go. */
const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/;
const NAME_REFUSED = /[\p{Z}\p{C}\p{S}]/u;
const MAX_NAME_CHARS = 1024;

export interface ComponentId {
  readonly type: string;
  readonly name: string;
  /** Trimmed, as other parts of the file refer to it. */
  readonly text: string;
}

/** The id in `text`, or what is wrong with it. */
export function parseComponentId(text: string): ComponentId | { readonly fault: string } {
  const slash = text.indexOf("/");
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? "" : text.slice(slash + 1).trim();
  if (text.trim() === "") return { fault: "id must not be empty" };
  if (type === "") return { fault: `in "${text}" id: the part before / should not be empty` };
  if (slash >= 0 && name === "") return { fault: `in "${text}" id: the part after / should not be empty` };
  if (!TYPE.test(type)) return { fault: `in "${text}" id: invalid character(s) in type "${type}"` };
  if (name.length > MAX_NAME_CHARS)
    return { fault: `in "${text}" id: name "${name.slice(0, 20)}…" is longer than ${MAX_NAME_CHARS} characters` };
  if (NAME_REFUSED.test(name)) return { fault: `in "${text}" id: invalid character(s) in name "${name}"` };
  return { type, name, text: name === "" ? type : `${type}/${name}` };
}
