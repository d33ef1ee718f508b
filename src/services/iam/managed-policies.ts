// AWS's own policies, as far as people attach them here: what each lets a caller do, written for the services that Salvia has.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
const allow = (Action: readonly string[], rest: object = {}): object => ({
  Effect: "Allow",
  Action,
  Resource: "*",
  ...rest,
});
const document = (...Statement: readonly object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });

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
  allow(["iam:PassRole"], { Condition: { StringEquals: { "iam:PassedToService": ["sagemaker.amazonaws.com"] } } }),
);

/** By what follows arn:aws:iam::aws:policy/. */
const documents: Readonly<Record<string, string>> = {
  AdministratorAccess: document(allow(["*"])),
  PowerUserAccess: document(
    { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
    allow(["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles"]),
  ),
  ReadOnlyAccess: document(readOnly),
  ViewOnlyAccess: document(readOnly),
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
};

/** Undefined: no policy of AWS's that is known here. */
export function managedPolicyDocument(arn: string): string | undefined {
  const [, name] = /^arn:aws:iam::aws:policy\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  return name !== undefined && Object.hasOwn(documents, name) ? documents[name] : undefined;
}
