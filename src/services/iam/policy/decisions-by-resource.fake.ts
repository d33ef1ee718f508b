// Decisions in which the resource has a policy of its own: buckets in one account and across, trust policies.
import {
  allow,
  deny,
  to,
  when,
  noId,
  noBucket,
  noBorder,
  noSession,
  data,
  x,
  trainer,
  annArn,
  bobArn,
  sessionArn,
  type Scene,
} from "./scene.fake.ts";

const sameAccount: readonly Scene[] = [
  {
    about: "a bucket policy that names the user",
    bucket: [to({ AWS: annArn }, allow("s3:GetObject", `${data}/*`))],
    border: [allow("sagemaker:*")],
    lines: [
      ["s3:GetObject", x, "allowed by bucket/1"],
      ["s3:PutObject", x, noId],
    ],
  },
  {
    about: "a bucket policy that names the account leaves it to the account's policies",
    bucket: [to({ AWS: "arn:aws:iam::111122223333:root" }, allow("s3:*", [data, `${data}/*`]))],
    lines: [["s3:GetObject", x, noId]],
  },
  {
    about: "a bucket policy for anyone",
    bucket: [to("*", allow("s3:GetObject", `${data}/*`))],
    lines: [
      ["s3:GetObject", x, "allowed by bucket/1"],
      ["s3:PutObject", x, noId],
    ],
  },
  {
    about: "a bucket policy that names the role does not pass the session's policy",
    who: "trainer",
    bucket: [to({ AWS: trainer }, allow(["s3:GetObject", "s3:PutObject"], `${data}/*`))],
    session: [allow("s3:GetObject")],
    lines: [
      ["s3:GetObject", x, "allowed by bucket/1"],
      ["s3:PutObject", x, noSession],
    ],
  },
  {
    about: "a bucket policy that names the very session passes it",
    who: "trainer",
    bucket: [to({ AWS: [sessionArn] }, allow("s3:PutObject", `${data}/*`))],
    session: [allow("s3:GetObject")],
    lines: [["s3:PutObject", x, "allowed by bucket/1"]],
  },
  {
    about: "a bucket policy that names the role by its unique id",
    who: "trainer",
    bucket: [to({ AWS: "AROAEXAMPLE0000000001" }, allow("s3:GetObject", `${data}/*`))],
    lines: [["s3:GetObject", x, "allowed by bucket/1"]],
  },
  {
    about: "a bucket policy's deny",
    id: [allow("s3:*")],
    bucket: [to("*", deny("s3:*", [data, `${data}/*`], when({ Bool: { "aws:SecureTransport": "false" } })))],
    lines: [
      ["s3:GetObject", x, "denied by bucket/1", { "aws:SecureTransport": "false" }],
      ["s3:GetObject", x, "allowed by id/1", { "aws:SecureTransport": "true" }],
    ],
  },
  {
    about: "NotPrincipal",
    id: [allow("s3:*")],
    bucket: [{ NotPrincipal: { AWS: [annArn, "111122223333"] }, ...deny("s3:*", `${data}/*`) }],
    lines: [["s3:GetObject", x, "allowed by id/1"]],
  },
  {
    about: "NotPrincipal that leaves the caller out",
    id: [allow("s3:*")],
    bucket: [{ NotPrincipal: { AWS: [bobArn] }, ...deny("s3:*", `${data}/*`) }],
    lines: [["s3:GetObject", x, "denied by bucket/1"]],
  },
];

const otherAccounts: readonly Scene[] = [
  {
    about: "across accounts the identity's policy alone is not enough",
    who: "bob",
    id: [allow("s3:*")],
    lines: [["s3:GetObject", x, noBucket]],
  },
  {
    about: "nor is the bucket's",
    who: "bob",
    bucket: [to({ AWS: bobArn }, allow("s3:GetObject", `${data}/*`))],
    lines: [["s3:GetObject", x, noId]],
  },
  {
    about: "both are",
    who: "bob",
    id: [allow("s3:*")],
    bucket: [to({ AWS: "444455556666" }, allow("s3:GetObject", `${data}/*`))],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:PutObject", x, noBucket],
    ],
  },
  {
    about: "borders hold across accounts",
    who: "bob",
    id: [allow("s3:*")],
    border: [allow("s3:Put*")],
    bucket: [to({ AWS: bobArn }, allow("s3:*", `${data}/*`))],
    lines: [
      ["s3:GetObject", x, noBorder],
      ["s3:PutObject", x, "allowed by id/1"],
    ],
  },
  {
    about: "another account's root",
    who: "bobRoot",
    bucket: [to({ AWS: "arn:aws:iam::444455556666:root" }, allow("s3:GetObject", `${data}/*`))],
    lines: [
      ["s3:GetObject", x, "allowed by bucket/1"],
      ["s3:PutObject", x, noBucket],
    ],
  },
  {
    about: "another account's users, when another user is named",
    who: "bob",
    id: [allow("s3:*")],
    bucket: [to({ AWS: annArn }, allow("s3:*", `${data}/*`))],
    lines: [["s3:GetObject", x, noBucket]],
  },
  {
    about: "an account by its canonical id",
    who: "bob",
    id: [allow("s3:*")],
    bucket: [to({ CanonicalUser: "c0ffee" }, allow("s3:GetObject", `${data}/*`))],
    lines: [["s3:GetObject", x, "allowed by id/1"]],
  },
  {
    about: "nobody in particular",
    who: "anyone",
    bucket: [
      to("*", allow("s3:GetObject", `${data}/public/*`)),
      to({ AWS: "*" }, allow("s3:ListBucket", data, when({ StringEquals: { "s3:prefix": "public/" } }))),
      to({ AWS: "111122223333" }, allow("s3:*", `${data}/*`)),
    ],
    lines: [
      ["s3:GetObject", `${data}/public/x`, "allowed by bucket/1"],
      ["s3:GetObject", x, noBucket],
      ["s3:PutObject", `${data}/public/x`, noBucket],
      ["s3:ListBucket", data, "allowed by bucket/2", { "s3:prefix": "public/" }],
      ["s3:ListBucket", data, noBucket],
    ],
  },
  { about: "nobody, without a policy", who: "anyone", lines: [["s3:GetObject", x, noBucket]] },
];

const trust = (Principal: unknown, rest: object = {}) => ({
  Effect: "Allow",
  Principal,
  Action: "sts:AssumeRole",
  ...rest,
});

const trusts: readonly Scene[] = [
  {
    about: "a role that trusts SageMaker",
    who: "sagemaker",
    isTrust: true,
    bucket: [trust({ Service: ["sagemaker.amazonaws.com", "ec2.amazonaws.com"] })],
    lines: [
      ["sts:AssumeRole", trainer, "allowed by bucket/1"],
      ["sts:TagSession", trainer, noBucket],
    ],
  },
  {
    about: "a role that trusts another service",
    who: "sagemaker",
    isTrust: true,
    bucket: [trust({ Service: "ec2.amazonaws.com" })],
    lines: [["sts:AssumeRole", trainer, noBucket]],
  },
  {
    about: "a role that trusts only SageMaker",
    isTrust: true,
    id: [allow("*")],
    bucket: [trust({ Service: "sagemaker.amazonaws.com" })],
    lines: [["sts:AssumeRole", trainer, noBucket]],
  },
  {
    about: "a role that trusts its account",
    isTrust: true,
    bucket: [trust({ AWS: "111122223333" })],
    lines: [["sts:AssumeRole", trainer, noId]],
  },
  {
    about: "a role that trusts its account, and a user that may",
    isTrust: true,
    id: [allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/team/*")],
    bucket: [trust({ AWS: "111122223333" })],
    lines: [
      ["sts:AssumeRole", trainer, "allowed by id/1"],
      ["sts:AssumeRole", "arn:aws:iam::111122223333:role/Other", noId],
    ],
  },
  {
    about: "a role that trusts the very user",
    isTrust: true,
    bucket: [trust({ AWS: annArn })],
    lines: [["sts:AssumeRole", trainer, "allowed by bucket/1"]],
  },
  {
    about: "a role of another account, with an external id",
    who: "bob",
    isTrust: true,
    id: [allow("sts:AssumeRole")],
    bucket: [trust({ AWS: "444455556666" }, when({ StringEquals: { "sts:ExternalId": "secret" } }))],
    lines: [
      ["sts:AssumeRole", trainer, "allowed by id/1", { "sts:ExternalId": "secret" }],
      ["sts:AssumeRole", trainer, noBucket, { "sts:ExternalId": "guess" }],
      ["sts:AssumeRole", trainer, noBucket],
    ],
  },
  {
    about: "root and a role that trusts its account",
    who: "root",
    isTrust: true,
    bucket: [trust({ AWS: "111122223333" })],
    lines: [["sts:AssumeRole", trainer, "allowed by bucket/1"]],
  },
];

export const scenesByResource: readonly Scene[] = [...sameAccount, ...otherAccounts, ...trusts];
