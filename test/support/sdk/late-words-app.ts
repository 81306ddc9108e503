// Another process than the one that made a generation: it knows nothing of it but the text of its reference.
import { annotateGeneration, linkGeneration, reviewRecord, startTracing } from "../../../sdk/index.ts";

const [endpoint, id] = process.argv.slice(2) as [string, string];
startTracing({ endpoint, serviceName: "review" });
linkGeneration(id, { type: "definitie", id: 456 });
reviewRecord(id, { status: "rejected", issues: ["te kort"], score: 0.25, by: "ann" });
annotateGeneration(id, { shown: true });
