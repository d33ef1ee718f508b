// Roles that belong to a service: made for it under a name of its own, and deleted through a task.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
import { AwsError } from "../../lib/aws-error.ts";
import { operation, roleNamed } from "./context.ts";
import { describedRole, eraseRole } from "./role-operations.ts";
import { insertRole } from "./roles.ts";

const knownNames: Readonly<Record<string, string>> = {
  "sagemaker.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_SageMakerEndpoint",
  "sagemaker.amazonaws.com": "AmazonSageMakerNotebooks",
  "replication.ecr.amazonaws.com": "ECRReplication",
};

/** e.g. AWSServiceRoleForECRReplication; of services not known here, by the first part of their name. */
function roleNameFor(service: string, suffix: string | undefined): string {
  const first = service.split(".")[0] ?? service;
  const known = Object.hasOwn(knownNames, service) ? knownNames[service] : undefined;
  const name = `AWSServiceRoleFor${known ?? first.charAt(0).toUpperCase() + first.slice(1)}`;
  return suffix === undefined ? name : `${name}_${suffix}`;
}

const createServiceLinkedRole = operation(
  "CreateServiceLinkedRole",
  async (input, { store, account, random, clock }) => {
    const { AWSServiceName: service, CustomSuffix, Description } = input;
    const name = roleNameFor(service, CustomSuffix);
    const role = {
      account,
      name,
      path: `/aws-service-role/${service}/`,
      description: Description,
      trustPolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
      }),
    };
    return store.write(async (tx) => {
      if (!(await insertRole(tx, role, random, clock.now().getTime()))) {
        const message = `Service role name ${name} has been taken in this account, please try a different suffix.`;
        throw new AwsError("InvalidInput", message);
      }
      return { Role: describedRole(await roleNamed(tx, account, name)) };
    });
  },
);

const deleteServiceLinkedRole = operation("DeleteServiceLinkedRole", async ({ RoleName }, ctx) => {
  const { store, account, identity, random } = ctx;
  const role = await store.write(async (tx) => {
    const row = await roleNamed(tx, account, RoleName);
    if (!row.path.startsWith("/aws-service-role/")) {
      throw new AwsError("NoSuchEntity", `The role with name ${RoleName} is no service-linked role.`);
    }
    await eraseRole(tx, row.uid);
    return row;
  });
  identity.forgetAll();
  return { DeletionTaskId: `task${role.path}${role.name}/${random.uuid()}` };
});

/** The task was over when it was named. */
const getDeletionStatus = operation("GetServiceLinkedRoleDeletionStatus", async ({ DeletionTaskId }) => {
  if (!/^task\/aws-service-role\/[^/]+\/[^/]+\/[\w-]{36}$/.test(DeletionTaskId)) {
    throw new AwsError("NoSuchEntity", `The deletion task ${DeletionTaskId} cannot be found.`);
  }
  return { Status: "SUCCEEDED" as const };
});

export const serviceLinkedRoleOperations = [createServiceLinkedRole, deleteServiceLinkedRole, getDeletionStatus];
