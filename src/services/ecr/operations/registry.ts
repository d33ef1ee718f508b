// What concerns a registry as a whole: logins, its policy, replication, scanning.
import { AwsError } from "../../../lib/aws-error.ts";
import { hostOf, operation, repositoryIn, type EcrContext } from "../context.ts";
import type { ReplicationConfiguration, RegistryScanningConfiguration } from "../../../models/generated/ecr.ts";
import { findRepository, repositoryArn } from "../core/repositories.ts";
import { checkPolicy } from "./checks.ts";

const getAuthorizationToken = operation("GetAuthorizationToken", async (input, ctx) => {
  const { region, caller } = ctx;
  const accounts = input.registryIds?.length ? [...new Set(input.registryIds)] : [caller.account];
  return {
    authorizationData: accounts.map((account) => {
      const { password, expiresAt } = ctx.tickets.sealLogin({ account, region, caller });
      return {
        authorizationToken: Buffer.from(`AWS:${password}`).toString("base64"),
        expiresAt,
        proxyEndpoint: `http://${hostOf(ctx)}`,
      };
    }),
  };
});

type SettingName = "policy" | "replication" | "scanning";

async function settingOf({ store, account, region }: EcrContext, name: SettingName): Promise<string | undefined> {
  const row = await store.read
    .selectFrom("ecr_registry_settings")
    .select("value")
    .where("account", "=", account)
    .where("region", "=", region)
    .where("name", "=", name)
    .executeTakeFirst();
  return row?.value;
}

const saveSetting = ({ store, account, region }: EcrContext, name: SettingName, value: string): Promise<unknown> =>
  store.write((tx) =>
    tx
      .insertInto("ecr_registry_settings")
      .values({ account, region, name, value })
      .onConflict((conflict) => conflict.columns(["account", "region", "name"]).doUpdateSet({ value }))
      .execute(),
  );

const noRegistryPolicy = ({ account }: EcrContext): AwsError =>
  new AwsError(
    "RegistryPolicyNotFoundException",
    `Registry policy does not exist in the registry with id '${account}'`,
  );

const putRegistryPolicy = operation("PutRegistryPolicy", async ({ policyText }, ctx) => {
  checkPolicy(policyText);
  await saveSetting(ctx, "policy", policyText);
  return { registryId: ctx.account, policyText };
});

const getRegistryPolicy = operation("GetRegistryPolicy", async (_, ctx) => {
  const policyText = await settingOf(ctx, "policy");
  if (policyText === undefined) throw noRegistryPolicy(ctx);
  return { registryId: ctx.account, policyText };
});

const deleteRegistryPolicy = operation("DeleteRegistryPolicy", async (_, ctx) => {
  const { store, account, region } = ctx;
  const policyText = await settingOf(ctx, "policy");
  if (policyText === undefined) throw noRegistryPolicy(ctx);
  await store.write((tx) =>
    tx
      .deleteFrom("ecr_registry_settings")
      .where("account", "=", account)
      .where("region", "=", region)
      .where("name", "=", "policy")
      .execute(),
  );
  return { registryId: account, policyText };
});

// Written by us alone.
const replicationOf = (value: string): ReplicationConfiguration => JSON.parse(value) as ReplicationConfiguration;
const scanningOf = (value: string): RegistryScanningConfiguration => JSON.parse(value) as RegistryScanningConfiguration;

const describeRegistry = operation("DescribeRegistry", async (_, ctx) => ({
  registryId: ctx.account,
  replicationConfiguration: replicationOf((await settingOf(ctx, "replication")) ?? '{"rules":[]}'),
}));

const putReplicationConfiguration = operation("PutReplicationConfiguration", async (input, ctx) => {
  const { replicationConfiguration } = input;
  const goesElsewhere = replicationConfiguration.rules.length > 0;
  if (goesElsewhere)
    throw new AwsError("NotImplementedException", "Replication of images is not implemented by Salvia.", {
      httpStatus: 501,
    });
  await saveSetting(ctx, "replication", JSON.stringify(replicationConfiguration));
  return { replicationConfiguration };
});

const getRegistryScanningConfiguration = operation("GetRegistryScanningConfiguration", async (_, ctx) => ({
  registryId: ctx.account,
  scanningConfiguration: scanningOf((await settingOf(ctx, "scanning")) ?? '{"scanType":"BASIC","rules":[]}'),
}));

const putRegistryScanningConfiguration = operation("PutRegistryScanningConfiguration", async (input, ctx) => {
  const scanning = { scanType: input.scanType ?? "BASIC", rules: input.rules ?? [] } as const;
  await saveSetting(ctx, "scanning", JSON.stringify(scanning));
  return { registryScanningConfiguration: scanning };
});

const batchGetRepositoryScanningConfiguration = operation(
  "BatchGetRepositoryScanningConfiguration",
  async ({ repositoryNames }, ctx) => {
    const scanningConfigurations = [];
    const failures = [];
    for (const repositoryName of repositoryNames) {
      const found = await findRepository(ctx.store.read, repositoryIn(ctx, repositoryName));
      if (!found) {
        const failureReason = "The repository does not exist";
        failures.push({ repositoryName, failureCode: "REPOSITORY_NOT_FOUND" as const, failureReason });
        continue;
      }
      const scanOnPush = found.settings.imageScanningConfiguration?.scanOnPush ?? false;
      const scanFrequency = scanOnPush ? ("SCAN_ON_PUSH" as const) : ("MANUAL" as const);
      const names = { repositoryArn: repositoryArn(found), repositoryName };
      scanningConfigurations.push({ ...names, scanOnPush, scanFrequency, appliedScanFilters: [] });
    }
    return { scanningConfigurations, failures };
  },
);

export const registryOperations = [
  getAuthorizationToken,
  describeRegistry,
  putReplicationConfiguration,
  putRegistryPolicy,
  getRegistryPolicy,
  deleteRegistryPolicy,
  getRegistryScanningConfiguration,
  putRegistryScanningConfiguration,
  batchGetRepositoryScanningConfiguration,
];
