// Decisions by the policies of identities and their borders; every condition operator.
import { allow, deny, when, noId, noBorder, noSession, data, x, job, trainer, type Scene } from "./scene.fake.ts";

const actionsAndResources: readonly Scene[] = [
  { about: "nothing is allowed by itself", lines: [["s3:GetObject", x, noId]] },
  {
    about: "root needs no policy of its own account",
    who: "root",
    lines: [
      ["s3:GetObject", x, "allowed"],
      ["iam:DeleteRole", trainer, "allowed"],
    ],
  },
  {
    about: "one action on one object",
    id: [allow("s3:GetObject", x)],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:getobject", x, "allowed by id/1"],
      ["s3:GetObject", `${x}y`, noId],
      ["s3:GetObject", `${data}/X`, noId],
      ["s3:GetObjectVersion", x, noId],
      ["s3:PutObject", x, noId],
      ["s3:GetObject", data, noId],
    ],
  },
  {
    about: "stars in actions",
    id: [allow(["s3:Get*", "sagemaker:*TrainingJob*"])],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:GetBucketPolicy", data, "allowed by id/1"],
      ["s3:PutObject", x, noId],
      ["sagemaker:CreateTrainingJob", job, "allowed by id/1"],
      ["sagemaker:ListTrainingJobs", "*", "allowed by id/1"],
      ["sagemaker:CreateModel", "*", noId],
    ],
  },
  {
    about: "everything",
    id: [allow("*")],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["iam:PassRole", trainer, "allowed by id/1"],
      ["sts:GetFederationToken", "*", "allowed by id/1"],
    ],
  },
  {
    about: "stars and question marks in resources",
    id: [allow("s3:GetObject", [`${data}/in/*`, `${data}/?.csv`, "arn:aws:s3:::*-public/*"])],
    lines: [
      ["s3:GetObject", `${data}/in/a/b`, "allowed by id/1"],
      ["s3:GetObject", `${data}/in/`, "allowed by id/1"],
      ["s3:GetObject", `${data}/in`, noId],
      ["s3:GetObject", `${data}/a.csv`, "allowed by id/1"],
      ["s3:GetObject", `${data}/ab.csv`, noId],
      ["s3:GetObject", `${data}/.csv`, noId],
      ["s3:GetObject", "arn:aws:s3:::x-public/y", "allowed by id/1"],
      ["s3:GetObject", "arn:aws:s3:::x-private/y", noId],
    ],
  },
  {
    about: "several stars in one pattern",
    id: [allow("s3:GetObject", `${data}/*/logs/*.gz`)],
    lines: [
      ["s3:GetObject", `${data}/a/logs/b.gz`, "allowed by id/1"],
      ["s3:GetObject", `${data}/a/logs/x/logs/b.gz`, "allowed by id/1"],
      ["s3:GetObject", `${data}/a/logs/b.gz.txt`, noId],
      ["s3:GetObject", `${data}/logs/.gz`, noId],
    ],
  },
  {
    about: "an ARN with stars for region and account",
    id: [allow("sagemaker:DescribeTrainingJob", "arn:aws:sagemaker:*:*:training-job/j*")],
    lines: [
      ["sagemaker:DescribeTrainingJob", job, "allowed by id/1"],
      ["sagemaker:DescribeTrainingJob", job.replace("us-west-2", "eu-central-1"), "allowed by id/1"],
      ["sagemaker:DescribeTrainingJob", job.replace("/j1", "/k1"), noId],
      ["sagemaker:DescribeTrainingJob", "*", noId],
    ],
  },
  {
    about: "an explicit deny wins over any allow",
    id: [allow("s3:*"), deny("s3:DeleteObject", `${data}/keep/*`, { Sid: "Keep" })],
    id2: [allow("*")],
    lines: [
      ["s3:DeleteObject", `${data}/keep/x`, "denied by id/Keep"],
      ["s3:DeleteObject", `${data}/other`, "allowed by id/1"],
      ["s3:GetObject", `${data}/keep/x`, "allowed by id/1"],
      ["iam:GetRole", trainer, "allowed by id2/1"],
    ],
  },
  {
    about: "a deny in another policy",
    id: [allow("*")],
    id2: [deny("iam:*")],
    lines: [
      ["iam:GetRole", trainer, "denied by id2/1"],
      ["s3:GetObject", x, "allowed by id/1"],
    ],
  },
  {
    about: "NotAction allows the rest, and denies none of it",
    id: [{ Effect: "Allow", NotAction: ["iam:*", "sts:*"], Resource: "*" }],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["iam:GetRole", trainer, noId],
      ["sts:AssumeRole", trainer, noId],
    ],
  },
  {
    about: "a deny of NotAction",
    id: [allow("*"), { Effect: "Deny", NotAction: "s3:*", Resource: "*" }],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["iam:GetRole", trainer, "denied by id/2"],
    ],
  },
  {
    about: "NotResource",
    id: [{ Effect: "Allow", Action: "s3:GetObject", NotResource: [`${data}/secret/*`] }],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:GetObject", `${data}/secret/x`, noId],
    ],
  },
];

const variables: readonly Scene[] = [
  {
    about: "a home folder by user name",
    id: [allow("s3:*", `${data}/home/\${aws:username}/*`)],
    lines: [
      ["s3:GetObject", `${data}/home/ann/x`, "allowed by id/1", { "aws:username": "ann" }],
      ["s3:GetObject", `${data}/home/bob/x`, noId, { "aws:username": "ann" }],
      ["s3:GetObject", `${data}/home//x`, noId],
      ["s3:GetObject", `${data}/home/ann/x`, noId, { "aws:username": "*" }],
      ["s3:GetObject", `${data}/home/*/x`, "allowed by id/1", { "aws:username": "*" }],
    ],
  },
  {
    about: "variables are text in old policies",
    version: "2008-10-17",
    id: [allow("s3:*", `${data}/home/\${aws:username}/*`)],
    lines: [
      ["s3:GetObject", `${data}/home/ann/x`, noId, { "aws:username": "ann" }],
      ["s3:GetObject", `${data}/home/\${aws:username}/x`, "allowed by id/1", { "aws:username": "ann" }],
    ],
  },
  {
    about: "a variable with a fallback",
    id: [allow("s3:*", `${data}/\${aws:PrincipalTag/team, 'common'}/*`)],
    lines: [
      ["s3:GetObject", `${data}/red/x`, "allowed by id/1", { "aws:PrincipalTag/team": "red" }],
      ["s3:GetObject", `${data}/common/x`, "allowed by id/1"],
      ["s3:GetObject", `${data}/common/x`, noId, { "aws:PrincipalTag/team": "red" }],
    ],
  },
  {
    about: "stars that mean themselves",
    id: [allow("s3:GetObject", `${data}/\${*}\${?}\${$}`)],
    lines: [
      ["s3:GetObject", `${data}/*?$`, "allowed by id/1"],
      ["s3:GetObject", `${data}/ab$`, noId],
    ],
  },
  {
    about: "a variable of several values stands for none",
    id: [allow("s3:GetObject", `${data}/\${aws:TagKeys}`)],
    lines: [
      ["s3:GetObject", `${data}/a`, "allowed by id/1", { "aws:TagKeys": ["a"] }],
      ["s3:GetObject", `${data}/a`, noId, { "aws:TagKeys": ["a", "b"] }],
    ],
  },
  {
    about: "a variable in a condition",
    id: [allow("sagemaker:*", "*", when({ StringEquals: { "aws:ResourceTag/owner": "${aws:username}" } }))],
    lines: [
      ["sagemaker:StopTrainingJob", job, "allowed by id/1", { "aws:ResourceTag/owner": "ann", "aws:username": "ann" }],
      ["sagemaker:StopTrainingJob", job, noId, { "aws:ResourceTag/owner": "bob", "aws:username": "ann" }],
      ["sagemaker:StopTrainingJob", job, noId, { "aws:username": "ann" }],
    ],
  },
];

/** One condition on one allow; each line: the key's value, and whether it holds. */
const condition = (
  operator: string,
  wanted: unknown,
  lines: readonly (readonly [string | readonly string[] | undefined, boolean])[],
): Scene => ({
  about: `${operator} ${JSON.stringify(wanted)}`,
  id: [allow("s3:GetObject", "*", when({ [operator]: { "test:Key": wanted } }))],
  lines: lines.map(([value, holds]) => [
    "s3:GetObject",
    x,
    holds ? "allowed by id/1" : noId,
    value === undefined ? {} : { "test:Key": value },
  ]),
});

// prettier-ignore
const conditions: readonly Scene[] = [
  condition("StringEquals", ["a", "b"], [["a", true], ["b", true], ["A", false], ["c", false], [undefined, false]]),
  condition("StringNotEquals", ["a", "b"], [["a", false], ["b", false], ["c", true], [undefined, true]]),
  condition("StringEqualsIgnoreCase", "Ab", [["aB", true], ["b", false]]),
  condition("StringNotEqualsIgnoreCase", "Ab", [["aB", false], ["b", true]]),
  condition("StringLike", "in/*/?", [["in/a/b", true], ["in/a/bc", false], [undefined, false]]),
  condition("StringNotLike", "in/*", [["in/a", false], ["out", true], [undefined, true]]),
  condition("StringEquals", "in/*", [["in/a", false], ["in/*", true]]),
  condition("StringEqualsIfExists", "a", [["a", true], ["b", false], [undefined, true]]),
  condition("StringLikeIfExists", "a*", [["ab", true], ["b", false], [undefined, true]]),
  condition("NumericEquals", 10, [["10", true], ["10.0", true], ["11", false], ["ten", false]]),
  condition("NumericNotEquals", 10, [["10", false], ["11", true], [undefined, true]]),
  condition("NumericLessThan", "10", [["9", true], ["10", false], ["x", false], [undefined, false]]),
  condition("NumericLessThanEquals", "10", [["10", true], ["11", false]]),
  condition("NumericGreaterThan", "10", [["11", true], ["10", false]]),
  condition("NumericGreaterThanEquals", "10", [["10", true], ["9", false]]),
  condition("DateLessThan", "2026-06-01T00:00:00Z", [["2026-05-31T23:59:59Z", true], ["2026-06-01T00:00:00Z", false]]),
  condition("DateGreaterThan", "2026-06-01", [["2026-06-02T00:00:00Z", true], ["2026-05-01T00:00:00Z", false]]),
  condition("DateEquals", "1780272000", [["2026-06-01T00:00:00Z", true], ["2026-06-01T00:00:01Z", false]]),
  condition("DateGreaterThanEquals", "never", [["2026-06-02T00:00:00Z", false]]),
  condition("Bool", "true", [["true", true], ["false", false], [undefined, false]]),
  condition("Bool", true, [["True", true], ["false", false]]),
  condition("BoolIfExists", "false", [["false", true], ["true", false], [undefined, true]]),
  condition("IpAddress", ["10.0.0.0/8", "192.168.1.7"], [["10.9.8.7", true], ["192.168.1.7", true], ["192.168.1.8", false], ["::ffff:10.1.1.1", true], ["nonsense", false]]),
  condition("IpAddress", "2001:db8::/32", [["2001:db8:1::1", true], ["2001:db9::1", false], ["10.0.0.1", false]]),
  condition("NotIpAddress", "10.0.0.0/8", [["10.1.1.1", false], ["11.1.1.1", true], [undefined, true]]),
  condition("IpAddress", "10.0.0.0/99", [["10.1.1.1", false]]),
  condition("ArnEquals", "arn:aws:iam::*:role/T*", [["arn:aws:iam::1:role/Trainer", true], ["arn:aws:iam::1:user/T", false]]),
  condition("ArnLike", "arn:aws:s3:::b*", [["arn:aws:s3:::bucket", true], ["arn:aws:s3:us:x:b", false]]),
  condition("ArnNotLike", "arn:aws:s3:::b*", [["arn:aws:s3:::bucket", false], ["arn:aws:s3:::c", true], [undefined, true]]),
  condition("ArnLike", "arn:aws:iam::1*:role/x", [["arn:aws:iam::1:y:1:role/x", false]]),
  condition("Null", "true", [["a", false], [undefined, true]]),
  condition("Null", "false", [["a", true], [undefined, false]]),
  condition("ForAllValues:StringEquals", ["a", "b"], [[["a", "b"], true], [["a"], true], [["a", "c"], false], [[], true], [undefined, true]]),
  condition("ForAnyValue:StringEquals", ["a", "b"], [[["a", "c"], true], [["c"], false], [[], false], [undefined, false]]),
  condition("ForAnyValue:StringLike", "cost*", [[["x", "costs"], true], [["x"], false]]),
  condition("ForAllValues:StringNotEquals", "a", [[["b", "c"], true], [["a", "b"], false]]),
  condition("ForAnyValue:StringNotEquals", "a", [[["a", "b"], true], [["a"], false]]),
];

const several: readonly Scene[] = [
  {
    about: "all conditions must hold",
    id: [
      allow(
        "s3:ListBucket",
        data,
        when({ StringLike: { "s3:prefix": "in/*" }, NumericLessThan: { "s3:max-keys": 100 } }),
      ),
    ],
    lines: [
      ["s3:ListBucket", data, "allowed by id/1", { "s3:prefix": "in/a", "s3:max-keys": "10" }],
      ["s3:ListBucket", data, noId, { "s3:prefix": "in/a", "s3:max-keys": "1000" }],
      ["s3:ListBucket", data, noId, { "s3:prefix": "out", "s3:max-keys": "10" }],
    ],
  },
  {
    about: "key names know no case",
    id: [allow("s3:GetObject", "*", when({ Bool: { "AWS:securetransport": "true" } }))],
    lines: [["s3:GetObject", x, "allowed by id/1", { "aws:SecureTransport": "true" }]],
  },
  {
    about: "deny outside a region",
    id: [allow("*"), deny("*", "*", when({ StringNotEquals: { "aws:RequestedRegion": ["us-west-2"] } }))],
    lines: [
      ["sagemaker:CreateModel", "*", "allowed by id/1", { "aws:RequestedRegion": "us-west-2" }],
      ["sagemaker:CreateModel", "*", "denied by id/2", { "aws:RequestedRegion": "eu-west-1" }],
    ],
  },
  {
    about: "passing a role to one service",
    id: [allow("iam:PassRole", trainer, when({ StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } }))],
    lines: [
      ["iam:PassRole", trainer, "allowed by id/1", { "iam:PassedToService": "sagemaker.amazonaws.com" }],
      ["iam:PassRole", trainer, noId, { "iam:PassedToService": "ec2.amazonaws.com" }],
      ["iam:PassRole", `${trainer}2`, noId, { "iam:PassedToService": "sagemaker.amazonaws.com" }],
    ],
  },
  {
    about: "tags of a request",
    id: [
      allow(
        "sagemaker:CreateTrainingJob",
        "*",
        when({
          StringEquals: { "aws:RequestTag/team": "red" },
          "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
        }),
      ),
    ],
    lines: [
      [
        "sagemaker:CreateTrainingJob",
        job,
        "allowed by id/1",
        { "aws:RequestTag/team": "red", "aws:TagKeys": ["team"] },
      ],
      ["sagemaker:CreateTrainingJob", job, noId, { "aws:RequestTag/team": "blue", "aws:TagKeys": ["team"] }],
      ["sagemaker:CreateTrainingJob", job, noId, { "aws:RequestTag/team": "red", "aws:TagKeys": ["team", "x"] }],
      ["sagemaker:CreateTrainingJob", job, noId],
    ],
  },
];

const borders: readonly Scene[] = [
  {
    about: "a permissions boundary borders and gives nothing",
    id: [allow("s3:*")],
    border: [allow(["s3:GetObject", "iam:*"]), deny("s3:GetObject", `${data}/no`)],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:PutObject", x, noBorder],
      ["iam:GetRole", trainer, noId],
      ["s3:GetObject", `${data}/no`, "denied by border/2"],
    ],
  },
  {
    about: "a session policy borders and gives nothing",
    who: "trainer",
    id: [allow("s3:*")],
    session: [allow(["s3:GetObject", "iam:*"]), deny("s3:GetObject", `${data}/no`)],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:PutObject", x, noSession],
      ["iam:GetRole", trainer, noId],
      ["s3:GetObject", `${data}/no`, "denied by session/2"],
    ],
  },
  {
    about: "all three borders",
    who: "trainer",
    id: [allow("s3:*")],
    border: [allow(["s3:GetObject", "s3:PutObject"])],
    session: [allow(["s3:GetObject", "s3:DeleteObject"])],
    lines: [
      ["s3:GetObject", x, "allowed by id/1"],
      ["s3:PutObject", x, noSession],
      ["s3:DeleteObject", x, noBorder],
      ["s3:ListBucket", data, noBorder],
    ],
  },
];

export const scenesByIdentity: readonly Scene[] = [
  ...actionsAndResources,
  ...variables,
  ...conditions,
  ...several,
  ...borders,
];
