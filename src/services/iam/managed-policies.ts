// AWS's own policies, as far as people attach them here: what each lets a caller do, written for the services that Salvia has.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
const allow = (Action: readonly string[], rest: object = {}): object => ({
  Effect: "Allow",
  Action,
  Resource: "*",
  ...rest,
});
const document = (...Statement: readonly object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });

const passRoleTo = (service: string): object =>
  allow(["iam:PassRole"], { Condition: { StringEquals: { "iam:PassedToService": [service] } } });

/** Of services that Salvia does not have. */
const fullAccess = (services: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(services).map(([name, service]) => [name, document(allow([`${service}:*`]))]));

const readOnly = allow([
  "s3:Get*",
  "s3:List*",
  "iam:Get*",
  "iam:List*",
  "iam:SimulateCustomPolicy",
  "iam:SimulatePrincipalPolicy",
  "sts:GetAccessKeyInfo",
  "sagemaker:Describe*",
  "sagemaker:List*",
  "sagemaker:Search",
  "sagemaker:Get*",
  "logs:Describe*",
  "logs:Get*",
  "logs:List*",
  "logs:FilterLogEvents",
  "logs:StartQuery",
  "logs:StopQuery",
  "cloudwatch:Describe*",
  "cloudwatch:Get*",
  "cloudwatch:List*",
  "ecr:Describe*",
  "ecr:Get*",
  "ecr:List*",
  "ecr:BatchGetImage",
  "ecr:BatchCheckLayerAvailability",
  "application-autoscaling:Describe*",
]);

const sagemakerFull = document(
  allow([
    "sagemaker:*",
    "application-autoscaling:*",
    "cloudwatch:*",
    "logs:*",
    "ecr:*",
    "iam:GetRole",
    "iam:ListRoles",
    "s3:CreateBucket",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:PutBucketCORS",
    "s3:PutObjectAcl",
  ]),
  {
    Effect: "Allow",
    Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
    Resource: [
      "arn:aws:s3:::*SageMaker*",
      "arn:aws:s3:::*Sagemaker*",
      "arn:aws:s3:::*sagemaker*",
      "arn:aws:s3:::*aws-glue*",
    ],
  },
  allow(["s3:GetObject"], { Condition: { StringEqualsIgnoreCase: { "s3:ExistingObjectTag/SageMaker": "true" } } }),
  passRoleTo("sagemaker.amazonaws.com"),
);

/** By what follows arn:aws:iam::aws:policy/. */
const documents: Readonly<Record<string, string>> = {
  AdministratorAccess: document(allow(["*"])),
  PowerUserAccess: document(
    { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
    allow(["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles"]),
  ),
  ReadOnlyAccess: document(readOnly),
  "job-function/ViewOnlyAccess": document(readOnly),
  SecurityAudit: document(readOnly),
  AmazonSageMakerFullAccess: sagemakerFull,
  AmazonSageMakerReadOnly: document(
    allow([
      "sagemaker:Describe*",
      "sagemaker:List*",
      "sagemaker:Search",
      "sagemaker:BatchGetMetrics",
      "sagemaker:GetSearchSuggestions",
      "logs:Get*",
      "logs:Describe*",
      "cloudwatch:Describe*",
    ]),
  ),
  AmazonS3FullAccess: document(allow(["s3:*", "s3-object-lambda:*"])),
  AmazonS3ReadOnlyAccess: document(allow(["s3:Get*", "s3:List*", "s3:Describe*"])),
  AmazonEC2ContainerRegistryFullAccess: document(allow(["ecr:*", "iam:CreateServiceLinkedRole"])),
  AmazonEC2ContainerRegistryReadOnly: document(
    allow(["ecr:Describe*", "ecr:Get*", "ecr:List*", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"]),
  ),
  CloudWatchFullAccess: document(allow(["cloudwatch:*", "logs:*", "autoscaling:Describe*"])),
  CloudWatchReadOnlyAccess: document(
    allow([
      "cloudwatch:Describe*",
      "cloudwatch:Get*",
      "cloudwatch:List*",
      "logs:Get*",
      "logs:List*",
      "logs:Describe*",
      "logs:FilterLogEvents",
      "logs:StartQuery",
      "logs:StopQuery",
    ]),
  ),
  CloudWatchLogsFullAccess: document(allow(["logs:*"])),
  CloudWatchLogsReadOnlyAccess: document(
    allow(["logs:Describe*", "logs:Get*", "logs:List*", "logs:FilterLogEvents", "logs:StartQuery", "logs:StopQuery"]),
  ),
  IAMFullAccess: document(allow(["iam:*"])),
  IAMReadOnlyAccess: document(
    allow(["iam:Get*", "iam:List*", "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"]),
  ),
  AmazonEC2ContainerRegistryPowerUser: document(
    allow([
      "ecr:Describe*",
      "ecr:Get*",
      "ecr:List*",
      "ecr:Batch*",
      "ecr:InitiateLayerUpload",
      "ecr:UploadLayerPart",
      "ecr:CompleteLayerUpload",
      "ecr:PutImage",
    ]),
  ),
  CloudWatchFullAccessV2: document(
    allow(["cloudwatch:*", "logs:*", "application-autoscaling:DescribeScalingPolicies"]),
  ),
  CloudWatchAgentServerPolicy: document(
    allow([
      "cloudwatch:PutMetricData",
      "logs:PutLogEvents",
      "logs:PutRetentionPolicy",
      "logs:DescribeLogStreams",
      "logs:DescribeLogGroups",
      "logs:CreateLogStream",
      "logs:CreateLogGroup",
    ]),
  ),
  "service-role/AWSLambdaBasicExecutionRole": document(
    allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]),
  ),
  IAMUserChangePassword: document(allow(["iam:ChangePassword", "iam:GetAccountPasswordPolicy"])),
  IAMUserSSHKeys: document(allow(["iam:*SSHPublicKey*"])),
  AmazonSageMakerPipelinesIntegrations: document(
    allow(["lambda:InvokeFunction", "sqs:SendMessage", "elasticmapreduce:*"]),
    passRoleTo("sagemaker.amazonaws.com"),
  ),
  AmazonSageMakerFeatureStoreAccess: document(allow(["s3:PutObject", "s3:GetBucketAcl", "s3:PutObjectAcl"])),
  AmazonSageMakerModelRegistryFullAccess: document(
    allow([
      "sagemaker:*ModelPackage*",
      "sagemaker:AddTags",
      "sagemaker:ListTags",
      "sagemaker:Describe*",
      "s3:GetObject",
      "s3:ListBucket",
      "ecr:BatchGetImage",
      "ecr:DescribeImages",
      "iam:ListRoles",
    ]),
    passRoleTo("sagemaker.amazonaws.com"),
  ),
  AmazonSageMakerGroundTruthExecution: document(
    allow(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject", "s3:GetBucketLocation", "s3:ListBucket"]),
    allow(["cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents"]),
  ),
  AmazonSageMakerMechanicalTurkAccess: document(allow(["sagemaker:*FlowDefinition", "sagemaker:*FlowDefinitions"])),
  ...fullAccess({
    AmazonEC2FullAccess: "ec2",
    AmazonVPCFullAccess: "ec2",
    AmazonDynamoDBFullAccess: "dynamodb",
    AmazonSQSFullAccess: "sqs",
    AmazonSNSFullAccess: "sns",
    AmazonAthenaFullAccess: "athena",
    AmazonSSMFullAccess: "ssm",
    SecretsManagerReadWrite: "secretsmanager",
    AWSLambda_FullAccess: "lambda",
    AWSStepFunctionsFullAccess: "states",
    AWSGlueConsoleFullAccess: "glue",
    AmazonEventBridgeFullAccess: "events",
    AmazonKinesisFullAccess: "kinesis",
    AmazonElasticFileSystemFullAccess: "elasticfilesystem",
    AWSCloudFormationFullAccess: "cloudformation",
    AWSKeyManagementServicePowerUser: "kms",
  }),
};

const arnPrefix = "arn:aws:iam::aws:policy/";

/** ARNs, in the order of names. */
export const managedPolicyArns: readonly string[] = Object.keys(documents)
  .toSorted()
  .map((name) => arnPrefix + name);

/** JSON text. Undefined: no policy of AWS's that is known here. */
export function managedPolicyDocument(arn: string): string | undefined {
  if (!arn.startsWith(arnPrefix)) return undefined;
  const name = arn.slice(arnPrefix.length);
  return Object.hasOwn(documents, name) ? documents[name] : undefined;
}
