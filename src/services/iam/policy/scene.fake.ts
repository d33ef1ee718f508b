// What the tables of decisions are written with (decisions-*.fake.ts): who asks for what under which policies, and what must come out, with its reason. One scene is a set of
// policies; each line of it one request. Policies are named by what they are: id, id2, border, session, bucket, trust.
export const allow = (Action: string | string[], Resource: string | string[] = "*", rest: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...rest,
});
export const deny = (Action: string | string[], Resource: string | string[] = "*", rest: object = {}) => ({
  Effect: "Deny",
  Action,
  Resource,
  ...rest,
});
export const to = (Principal: unknown, statement: object) => ({ Principal, ...statement });
export const when = (Condition: object) => ({ Condition });

export type Who = "ann" | "trainer" | "root" | "bob" | "bobRoot" | "anyone" | "sagemaker";

/** Action, resource, outcome, and the keys of the request. */
export type Line = readonly [string, string, string, Readonly<Record<string, string | readonly string[]>>?];

export interface Scene {
  readonly about: string;
  /** Default: ann, a user of the account that owns everything. */
  readonly who?: Who;
  readonly id?: readonly object[];
  readonly id2?: readonly object[];
  readonly border?: readonly object[];
  readonly session?: readonly object[];
  /** The resource's own policy. */
  readonly bucket?: readonly object[];
  readonly isTrust?: boolean;
  readonly version?: "2008-10-17";
  readonly lines: readonly Line[];
}

export const noId = "no identity-based policy";
export const noBucket = "no resource-based policy";
export const noBorder = "no permissions boundary";
export const noSession = "no session policy";

export const data = "arn:aws:s3:::data";
export const x = `${data}/x`;
export const job = "arn:aws:sagemaker:us-west-2:111122223333:training-job/j1";
export const trainer = "arn:aws:iam::111122223333:role/team/Trainer";
export const annArn = "arn:aws:iam::111122223333:user/ann";
export const bobArn = "arn:aws:iam::444455556666:user/bob";
export const sessionArn = "arn:aws:sts::111122223333:assumed-role/Trainer/s1";
