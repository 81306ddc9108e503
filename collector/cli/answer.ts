import { CommandError, EXIT, type ExitCode } from "./exit-codes.ts";

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

const EXIT_OF_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  401: EXIT.notAuthorised,
  403: EXIT.notAuthorised,
  404: EXIT.notFound,
  429: EXIT.unreachable,
  502: EXIT.unreachable,
  503: EXIT.unreachable,
  504: EXIT.unreachable,
};

/** With these, other servers say that they know nothing of what was asked for. */
const UNKNOWN_THERE: ReadonlySet<number> = new Set([400, 404, 405, 406, 410, 415, 501]);

/** Says a collector that lacks the whole route, in every version. */
const NO_ROUTE = "there is nothing at this address";

/** An answer that is no success, with the exit code that scripts know it by. */
export async function refusal(response: Response): Promise<CommandError> {
  const { status } = response;
  const message = messageIn(await response.text().catch(() => ""));
  if (message === undefined && UNKNOWN_THERE.has(status)) return notGenspan(response);
  if (message === undefined && status === 503)
    return new CommandError(
      EXIT.unreachable,
      "The collector does not take questions at the moment: it may be starting, so ask again soon.",
    );
  if (message === NO_ROUTE)
    return new CommandError(
      EXIT.failure,
      "That collector does not know what this command asks for: it is of another version, so update the one that is behind.",
    );
  const hint = message?.startsWith("a key is required") ? ". Commands take a key as --key or GENSPAN_KEY" : "";
  const sentence = `${message ?? `the collector answered with status ${status}`}${hint}`;
  return new CommandError(
    EXIT_OF_STATUS[status] ?? EXIT.failure,
    `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`.replace(/\.\.$/, "."),
  );
}

/** What an error of the API says. */
function messageIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: unknown } };
    return typeof error?.message === "string" ? error.message : undefined;
  } catch {
    return undefined;
  }
}
