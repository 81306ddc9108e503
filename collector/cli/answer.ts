import { CommandError, EXIT } from "./exit-codes.ts";

/** Media types that the API never answers a command with, and other servers do. */
const FOREIGN_TYPES = /^(?:$|text\/(?:html|plain)\b)/i;

/** Throws CommandError for an answer that some other server gave. */
export function checkType(response: Response): void {
  if (FOREIGN_TYPES.test(response.headers.get("content-type") ?? "")) throw notGenspan(response);
}

/** What a collector said, an object in every answer. Throws CommandError for anything else. */
export async function objectOf(response: Response): Promise<object> {
  const text = await response.text();
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // Said below, like every other answer that is none of ours.
  }
  throw notGenspan(response);
}

/** One page of a list. Throws CommandError for an object of another kind. */
export async function pageOf<Row>(response: Response): Promise<{ readonly data: readonly Row[]; readonly next: string | null }> {
  const { data, next = null } = (await objectOf(response)) as { readonly data?: unknown; readonly next?: string | null };
  if (!Array.isArray(data)) throw notGenspan(response);
  return { data, next };
}

function notGenspan({ url }: Response): CommandError {
  const where = URL.canParse(url) ? new URL(url).origin : "The address";
  return new CommandError(
    EXIT.unreachable,
    `${where} does not answer like a genspan collector: give the address of its web pages, such as http://127.0.0.1:4319.`,
  );
}
