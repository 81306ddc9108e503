import { type Command, Option } from "commander";
import { type ApiClient, type ApiFlags, type ApiRow, useApi, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { smallResult } from "./list.ts";
import { type CliInput, positiveInteger, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { readAge } from "./prune.ts";
import { writeRecord } from "./record.ts";

type Row = ApiRow & { readonly id: string; readonly name: string };

const MINUTE_MS = 60_000;

/** Minutes as well as what `readAge` takes: many a rule looks back less than an hour. */
function readWindow(text: string): number {
  const [, minutes] = /^([1-9]\d{0,4})m$/.exec(text) ?? [];
  return minutes === undefined ? readAge(text) : Number(minutes) * MINUTE_MS;
}

const COLUMNS = ["id", "name", "enabled", "text", "last_state", "evaluated_at", "muted_until"];
const EVENT_COLUMNS = ["started_at", "resolved_at", "notified_at", "value", "rule_id", "last_failure"];
const COMPARISONS = ["below", "at_most", "above", "at_least"] as const;

export function addAlert(program: Command, input: CliInput): void {
  const alert = program.command("alert").description("rules that should wake somebody");
  withExamples(alert, "genspan alert list", "genspan alert check");
  addList(alert, input);
  addCreate(alert, input);
  addCheck(alert, input);
  addPreview(alert, input);
  addTest(alert, input);
  addMute(alert, input);
  addDelete(alert, input);
}

const rulesOf = async (api: ApiClient): Promise<readonly Row[]> =>
  ((await api.get("/api/alerts")) as { readonly data: readonly Row[] }).data;

/** A rule by its id or its name. */
async function ruleOf(api: ApiClient, given: string): Promise<Row> {
  const found = (await rulesOf(api)).find(({ id, name }) => id === given || name === given);
  if (found === undefined) throw new CommandError(EXIT.notFound, `There is no alert rule ${given}: see "genspan alert list".`);
  return found;
}

function addList(alert: Command, input: CliInput): void {
  const command = withOutput(withApi(alert.command("list"), input.env))
    .description("list rules, or with --events when they fired")
    .option("--events", "when rules fired, newest first")
    .action((flags: ApiFlags & { readonly events?: true }) =>
      useApi(input, flags, async (api) => {
        const rows =
          flags.events === true ? ((await api.get("/api/alerts/events")) as { data: readonly ApiRow[] }).data : await rulesOf(api);
        const columns = flags.events === true ? EVENT_COLUMNS : COLUMNS;
        const shown =
          flags.output === "table" || flags.output === "md"
            ? rows.map((row) => Object.fromEntries(columns.map((name) => [name, row[name] ?? null])))
            : rows;
        await writeResult(await smallResult(shown, columns), flags.output, input.terminal);
      }),
    );
  withExamples(command, "genspan alert list", "genspan alert list --events -o json");
}

interface NewRule extends ApiFlags {
  readonly metric: string;
  readonly filter: string;
  readonly compare: string;
  readonly threshold: string;
  readonly window: number;
  readonly consecutive: number;
  readonly webhook: readonly string[];
  readonly slack: readonly string[];
  readonly email: readonly string[];
  readonly currency?: string;
  readonly secret?: string;
}

const many = (value: string, known: readonly string[]): string[] => [...known, value];

function addCreate(alert: Command, input: CliInput): void {
  const command = withOutput(withApi(alert.command("create"), input.env))
    .argument("<name>", "name for people")
    .description("make a rule; what can be watched: GET /api/alerts/metrics")
    .requiredOption("--metric <name>", "such as run_success_rate, failure_rate, cost, stuck_runs, image_failed, unpriced")
    .addOption(new Option("--compare <how>", "how the value stands to the threshold").choices(COMPARISONS).makeOptionMandatory())
    .requiredOption("--threshold <number>", "the value that it is compared with")
    .option("--filter <query>", "as in addresses: env=production&model=gpt-5", "")
    .addOption(
      new Option("--window <age>", "length of a window; of single things how far back they may lie")
        .argParser(readWindow)
        .default(readAge("1h"), "1h"),
    )
    .option("--consecutive <n>", "so many windows, or things, in a row", positiveInteger, 1)
    .option("--currency <code>", "of costs: the one that is added up; USD unless given")
    .option("--webhook <url>", "post JSON to; may be repeated", many, [])
    .option("--slack <url>", "post in Slack's shape to; may be repeated", many, [])
    .option("--email <address>", "write to; may be repeated", many, [])
    .option("--secret <text>", "signs what webhooks get")
    .action((name: string, flags: NewRule) =>
      useApi(input, flags, async (api) => {
        const made = (await api.send("POST", "/api/alerts", ruleFrom(name, flags))) as ApiRow;
        await writeRecord(made, flags.output, input.terminal);
      }),
    );
  withExamples(
    command,
    "genspan alert create 'bad runs' --metric run_success_rate --compare below --threshold 0.5 --consecutive 3 --window 1w",
    "genspan alert create 'many failures' --metric failure_rate --compare above --threshold 0.1 --filter env=production --window 1h",
  );
}

function ruleFrom(name: string, flags: NewRule): object {
  const { metric, compare, filter, consecutive, secret, currency } = flags;
  const signed = secret === undefined ? {} : { secret };
  return {
    name,
    condition: {
      ...{ metric, filter, compare, threshold: Number(flags.threshold), window_seconds: flags.window / 1_000, consecutive },
      ...(currency === undefined ? {} : { currency }),
    },
    channels: [
      ...flags.webhook.map((url) => ({ type: "webhook", url, ...signed })),
      ...flags.slack.map((url) => ({ type: "webhook", url, format: "slack", ...signed })),
      ...(flags.email.length === 0 ? [] : [{ type: "email", to: flags.email }]),
      ...(flags.webhook.length + flags.slack.length + flags.email.length === 0 ? [{ type: "log" }] : []),
    ],
  };
}

function addCheck(alert: Command, input: CliInput): void {
  const command = withOutput(withApi(alert.command("check"), input.env))
    .argument("[rule]", "id or name; without it all rules")
    .description(`measure rules now, telling nobody; ends with ${EXIT.finding} when one fires, for cron and CI`)
    .action((given: string | undefined, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const rules = given === undefined ? await rulesOf(api) : [await ruleOf(api, given)];
        const rows: ApiRow[] = [];
        for (const { id, name } of rules) {
          const { state, value, currency, left_out_currencies: leftOut } = (await api.get(`/api/alerts/${id}/check`)) as ApiRow;
          rows.push({ name, state, value });
          if (Array.isArray(leftOut) && leftOut.length > 0)
            input.terminal.note(`${name} adds up ${currency}: costs in ${leftOut.join(", ")} are left out.`);
        }
        await writeResult(await smallResult(rows, ["name", "state", "value"]), flags.output, input.terminal);
        const firing = rows.filter(({ state }) => state === "firing").length;
        if (firing > 0) throw new CommandError(EXIT.finding, firing === 1 ? "One rule fires." : `${firing} rules fire.`);
      }),
    );
  withExamples(command, "genspan alert check", "genspan alert check 'bad runs' -o json");
}

interface PreviewFlags extends ApiFlags {
  readonly from: string;
  readonly to: string;
  readonly steps: number;
}

function addPreview(alert: Command, input: CliInput): void {
  const command = withOutput(withApi(alert.command("preview"), input.env))
    .argument("<rule>", "id or name")
    .description("when a rule would have fired, measured as it will be")
    .option("--from <time>", "-24h, 2026-11-21, 2026-11-21T08:15:00Z", "-24h")
    .option("--to <time>", "until then", "now")
    .option("--steps <n>", "moments at which it is measured, 300 at most", positiveInteger, 60)
    .action((given: string, { from, to, steps, ...flags }: PreviewFlags) =>
      useApi(input, flags, async (api) => {
        const { condition } = await ruleOf(api, given);
        const { data } = (await api.send("POST", "/api/alerts/preview", { condition, from, to, steps })) as {
          readonly data: readonly ApiRow[];
        };
        await writeResult(await smallResult(data, ["at", "state", "value"]), flags.output, input.terminal);
      }),
    );
  withExamples(command, "genspan alert preview 'bad runs'", "genspan alert preview 'bad runs' --from -7d --steps 84 -o csv");
}

function addTest(alert: Command, input: CliInput): void {
  const command = withApi(alert.command("test"), input.env)
    .argument("<rule>", "id or name")
    .description("send a message to every channel of a rule, saying that it is a test")
    .action((given: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const { id } = await ruleOf(api, given);
        const { told, failures } = (await api.send("POST", `/api/alerts/${id}/test`, {})) as {
          readonly told: number;
          readonly failures: readonly string[];
        };
        for (const failure of failures) input.terminal.note(failure);
        if (failures.length > 0) throw new CommandError(EXIT.failure, `${told} channels took the message, ${failures.length} did not.`);
        input.terminal.note(`${told} channels took the message.`);
      }),
    );
  withExamples(command, "genspan alert test 'bad runs'");
}

function addMute(alert: Command, input: CliInput): void {
  const command = withApi(alert.command("mute"), input.env)
    .argument("<rule>", "id or name")
    .description("let a rule tell nobody for a while; it goes on being watched")
    .addOption(new Option("--for <age>", "such as 30m, 4h or 7d").argParser(readWindow).default(readAge("1d"), "1d"))
    .option("--off", "let it speak again")
    .action((given: string, flags: ApiFlags & { readonly for: number; readonly off?: true }) =>
      useApi(input, flags, async (api) => {
        const { id, name } = await ruleOf(api, given);
        const until = flags.off === true ? null : new Date(Date.now() + flags.for).toISOString();
        await api.send("POST", `/api/alerts/${id}/mute`, { until });
        input.terminal.note(until === null ? `${name} speaks again.` : `${name} is silent until ${until}.`);
      }),
    );
  withExamples(command, "genspan alert mute 'bad runs' --for 4h", "genspan alert mute 'bad runs' --off");
}

function addDelete(alert: Command, input: CliInput): void {
  const command = withApi(alert.command("delete"), input.env)
    .argument("<rule>", "id or name")
    .description("remove a rule with its history")
    .action((given: string, flags: ApiFlags) =>
      useApi(input, flags, async (api) => {
        const { id, name } = await ruleOf(api, given);
        await api.send("DELETE", `/api/alerts/${id}`);
        input.terminal.note(`${name} is gone.`);
      }),
    );
  withExamples(command, "genspan alert delete 'bad runs'");
}
