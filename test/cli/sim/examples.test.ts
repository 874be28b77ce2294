/**
 * The examples of campaigns on other people's machines: their files are what those machines take,
 * and every command in them is one of ours.
 * @module
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Command, CommanderError } from "commander";
import { parseAllDocuments } from "yaml";
import * as z from "zod";
import { addSim } from "../../../cli/sim/commands.ts";
import { readRange, readShard, sizeOf } from "../../../cli/sim/seeds.ts";

/** The documents of a file, without warnings, errors or keys that are given twice. */
function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(file, "utf8"), { uniqueKeys: true }).map((doc) => {
    assert.deepEqual([...doc.errors, ...doc.warnings].map(String), [], file);
    return doc.toJS() as unknown;
  });
}

/** The words of a `dogwatch sim` line as a shell would give them. */
function words(line: string): string[] {
  return line.replaceAll(/\\\n/g, " ").trim().split(/\s+/)
    .filter((word) => word !== "exec").slice(1);
}

/** Parses a command line with our own table and says which command and flags it has. */
async function parsed(line: string): Promise<{ command: string; flags: Record<string, unknown> }> {
  const root = new Command("dogwatch").exitOverride().configureOutput({ writeErr: () => {} });
  addSim(root, { out: () => {}, err: () => {}, env: {} }, () => {});
  const seen: { command: string; flags: Record<string, unknown> }[] = [];
  const watch = (command: Command): void => {
    command.exitOverride();
    if (command.commands.length > 0) return command.commands.forEach(watch);
    command.action(() => {
      seen.push({ command: command.name(), flags: command.opts() });
    });
  };
  watch(root);
  try {
    await root.parseAsync(words(line), { from: "user" });
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    assert.fail(`${line}: ${error.message}`);
  }
  const [one] = seen;
  assert.ok(one !== undefined, line);
  return one;
}

const label = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const quantity = z.string().regex(/^[0-9]+(m|Ki|Mi|Gi)?$/);
const meta = z.strictObject({ name: label, labels: z.record(z.string(), z.string()) });
const container = z.strictObject({
  name: label, image: z.string().regex(/^[a-z0-9.-]+\/[a-z0-9-]+:[0-9.]+$/),
  command: z.tuple([z.literal("sh"), z.literal("-euc")]), args: z.tuple([z.string()]),
  resources: z.strictObject({
    requests: z.record(z.string(), quantity), limits: z.record(z.string(), quantity),
  }).optional(),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
  }),
  volumeMounts: z.array(z.strictObject({ name: label, mountPath: z.string().startsWith("/") })),
});
const pod = z.strictObject({
  metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }),
  spec: z.strictObject({
    // A Job takes only these two.
    restartPolicy: z.enum(["Never", "OnFailure"]),
    securityContext: z.strictObject({
      runAsNonRoot: z.boolean(), runAsUser: z.int().min(1), fsGroup: z.int().min(1),
    }),
    containers: z.array(container).min(1),
    volumes: z.array(z.strictObject({
      name: label, persistentVolumeClaim: z.strictObject({ claimName: label }),
    })),
  }),
});
const rule = z.union([
  z.strictObject({
    action: z.enum(["FailIndex", "FailJob", "Ignore", "Count"]),
    onExitCodes: z.strictObject({
      containerName: label, operator: z.enum(["In", "NotIn"]),
      values: z.array(z.int().min(1).max(255)).min(1).max(255),
    }),
  }),
  z.strictObject({
    action: z.enum(["FailIndex", "FailJob", "Ignore", "Count"]),
    onPodConditions: z.array(z.strictObject({
      type: z.string(), status: z.enum(["True", "False"]),
    })),
  }),
]);
const job = z.strictObject({
  apiVersion: z.literal("batch/v1"), kind: z.literal("Job"), metadata: meta,
  spec: z.strictObject({
    completionMode: z.enum(["Indexed", "NonIndexed"]).optional(),
    completions: z.int().min(1).optional(), parallelism: z.int().min(1).optional(),
    backoffLimit: z.int().min(0).optional(), backoffLimitPerIndex: z.int().min(0).optional(),
    maxFailedIndexes: z.int().min(0).optional(), ttlSecondsAfterFinished: z.int().min(0).optional(),
    suspend: z.boolean().optional(),
    podFailurePolicy: z.strictObject({ rules: z.array(rule).min(1).max(20) }).optional(),
    template: pod,
  }),
});
const claim = z.strictObject({
  apiVersion: z.literal("v1"), kind: z.literal("PersistentVolumeClaim"), metadata: meta,
  spec: z.strictObject({
    accessModes: z.array(z.enum(["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"])).min(1),
    resources: z.strictObject({ requests: z.strictObject({ storage: quantity }) }),
  }),
});

test("sim cli: examples: the Kubernetes file is one claim and two jobs that use it", () => {
  const [first, ...rest] = documents("docs/examples/k8s-hunt.yaml");
  const { metadata: { name } } = claim.parse(first);
  const jobs = rest.map((doc) => job.parse(doc));
  assert.equal(jobs.length, 2);
  for (const { spec: { template: { spec } } } of jobs) {
    const volumes = spec.volumes.map((volume) => volume.name);
    for (const one of spec.volumes) assert.equal(one.persistentVolumeClaim.claimName, name);
    for (const { volumeMounts } of spec.containers) {
      for (const mount of volumeMounts) assert.ok(volumes.includes(mount.name));
    }
  }
});

test("sim cli: examples: the indexed job searches every seed once", async () => {
  const [, doc] = documents("docs/examples/k8s-hunt.yaml");
  const { spec } = job.parse(doc);
  assert.equal(spec.completionMode, "Indexed");
  assert.ok(spec.completions !== undefined, "an indexed job says how many");
  assert.ok((spec.parallelism ?? 1) <= 100_000);
  assert.ok((spec.maxFailedIndexes ?? 0) <= spec.completions);
  const [hunt] = spec.template.spec.containers;
  const line = hunt?.args[0] ?? "";
  let seeds = 0;
  for (let index = 0; index < spec.completions; index += 1) {
    const filled = line.replace("$((JOB_COMPLETION_INDEX + 1))", String(index + 1))
      .replaceAll("$JOB_COMPLETION_INDEX", String(index));
    const { command, flags } = await parsed(filled);
    assert.equal(command, "hunt");
    const shard = readShard(String(flags["shard"]));
    const range = readRange(String(flags["seeds"]), () => 0n);
    assert.ok(shard.ok && range.ok);
    assert.equal(shard.value.of, spec.completions);
    assert.equal(shard.value.at, index + 1);
    assert.match(String(flags["out"]), new RegExp(`^/found/${index}$`));
    seeds += sizeOf(range.value, shard.value);
  }
  assert.equal(seeds, 400_000);
});

test("sim cli: examples: a verdict fails its index, and nothing else does", () => {
  const [, doc] = documents("docs/examples/k8s-hunt.yaml");
  const { spec } = job.parse(doc);
  assert.equal(spec.template.spec.restartPolicy, "Never", "a failure policy needs it");
  assert.ok(spec.backoffLimitPerIndex !== undefined, "FailIndex needs it");
  const [verdicts] = spec.podFailurePolicy?.rules ?? [];
  assert.ok(verdicts !== undefined && "onExitCodes" in verdicts);
  assert.deepEqual(verdicts.onExitCodes.values, [10, 11, 12, 13, 14, 15, 16]);
  assert.equal(verdicts.onExitCodes.containerName, spec.template.spec.containers[0]?.name);
});

test("sim cli: examples: the merging job is a command of ours", async () => {
  const [, , doc] = documents("docs/examples/k8s-hunt.yaml");
  const { spec } = job.parse(doc);
  const { command } = await parsed(spec.template.spec.containers[0]?.args[0] ?? "");
  assert.equal(command, "merge");
});

const step = z.union([
  z.strictObject({
    uses: z.string().regex(/^[a-z-]+\/[a-z-]+@v[0-9]+$/), if: z.string().optional(),
    with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  }),
  z.strictObject({ run: z.string() }),
]);
const ciJob = z.strictObject({
  needs: z.string().optional(), if: z.string().optional(), "runs-on": z.string(),
  "timeout-minutes": z.int().min(1).max(360).optional(),
  strategy: z.strictObject({
    "fail-fast": z.boolean(), matrix: z.strictObject({ shard: z.array(z.int()).min(1).max(256) }),
  }).optional(),
  steps: z.array(step).min(1),
});
const workflow = z.strictObject({
  name: z.string(), on: z.looseObject({}), permissions: z.record(z.string(), z.string()),
  concurrency: z.strictObject({ group: z.string(), "cancel-in-progress": z.boolean() }),
  jobs: z.record(z.string(), ciJob),
});

test("sim cli: examples: the workflow's shards are all parts of one whole", async () => {
  const [doc] = documents("docs/examples/ci-matrix.yml");
  const { jobs } = workflow.parse(doc);
  for (const { needs } of Object.values(jobs)) {
    if (needs !== undefined) assert.ok(needs in jobs, needs);
  }
  const shards = jobs["hunt"]?.strategy?.matrix.shard ?? [];
  const line = commandOf(jobs["hunt"]);
  for (const shard of shards) {
    const { command, flags } = await parsed(filled(line, shard));
    assert.equal(command, "hunt");
    assert.equal(flags["shard"], `${shard}/${shards.length}`);
    assert.equal(flags["seedFrom"], "git");
  }
  assert.deepEqual(shards, shards.map((_, i) => i + 1));
});

test("sim cli: examples: the workflow merges what the shards hand in", async () => {
  const [doc] = documents("docs/examples/ci-matrix.yml");
  const { jobs } = workflow.parse(doc);
  const { command } = await parsed(filled(commandOf(jobs["merge"]), 1));
  assert.equal(command, "merge");
  const uses = [jobs["hunt"], jobs["merge"]].flatMap((one) => one?.steps ?? [])
    .filter((one) => "uses" in one);
  const upload = uses.find((one) => one.uses.startsWith("actions/upload-artifact"));
  const download = uses.find((one) => one.uses.startsWith("actions/download-artifact"));
  assert.equal(upload?.if, "always()", "a shard that failed hands in, too");
  assert.equal(upload.with?.["name"], "found-${{ matrix.shard }}");
  assert.equal(download?.with?.["pattern"], "found-*");
});

/** The line of a job that runs Dogwatch. */
function commandOf(one: z.infer<typeof ciJob> | undefined): string {
  const lines = one?.steps.flatMap((each) => ("run" in each ? [each.run] : [])) ?? [];
  const found = lines.find((text) => text.startsWith("node dist/dogwatch.js sim "));
  assert.ok(found !== undefined);
  return found.replace("node dist/dogwatch.js", "dogwatch");
}

function filled(line: string, shard: number): string {
  return line.replaceAll("${{ matrix.shard }}", String(shard))
    .replaceAll(/\$\{\{ inputs\.seeds \|\| '([0-9]+)' \}\}/g, "$1");
}
