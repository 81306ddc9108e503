// An application that records one generation over the SDK and then ends in the way that it is told.
import { startGeneration, startTracing } from "../../../sdk/index.ts";

const [ending, endpoint, pending] = process.argv.slice(2) as [string, string, "background" | "await"];
startTracing({ endpoint, serviceName: ending, pending });

const generation = startGeneration({ model: "gpt-5", provider: "openai", prompt: { text: "Why is the sky blue?" } });
const finish = (): void => generation.succeed({ text: "Because." });

/** Keeps the call, and with it the process, going. */
const call = (): NodeJS.Timeout => setTimeout(() => {}, 60_000);

/** The parent reads it and acts. */
const say = (what: string): void => void process.stdout.write(`${what} ${generation.id}\n`);

switch (ending) {
  case "natural-end":
    finish();
    break;
  case "exit":
    finish();
    process.exit(7);
    break;
  case "exit-in-call":
    process.exit(7);
    break;
  case "sigterm":
    finish();
    call();
    say("ready");
    break;
  case "sigterm-handled":
    process.on("SIGTERM", () => process.exit(9));
    finish();
    call();
    say("ready");
    break;
  case "uncaught":
    setTimeout(() => {
      throw new Error("the application is broken");
    }, 0);
    break;
  case "rejected":
    finish();
    void Promise.reject(new Error("nobody listens"));
    break;
  case "killed-in-call":
    if (pending === "await") await generation.recorded;
    call();
    say("calling");
    break;
  default:
    throw new Error(`unknown ending ${ending}`);
}
