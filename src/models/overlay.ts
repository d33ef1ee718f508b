// Hand-kept corrections to the generated models, each with its reason. A model update never touches this file.

/** What to test instead of a published pattern, by service and shape. Messages go on printing the published one. */
export const patternCorrections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sagemaker: {
    // Published as `…)*${1,128}`, which is no regular expression; the length has its own constraint.
    CustomerMetadataKey: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
    CustomerMetadataValue: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
    // Published as `[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?`: the same texts, in exponential time.
    ClusterSchedulerPriorityClassName: "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    ComputeQuotaTargetTeamName: "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
  },
  ecr: {
    // Published as `^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$`: the same texts, in exponential time.
    ScanningRepositoryFilterValue: "[a-z0-9*]+(?:[._\\-/][a-z0-9*]+)*",
  },
};

/** Values that Salvia accepts and the published enum lacks. */
export const extraEnumValues: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  // The AWS SDK for C++ (pyarrow) asks in lower case.
  s3: { ChecksumMode: ["enabled"] },
};

/** Enums whose published values are not all there are. */
export const openEnums: Readonly<Record<string, readonly string[]>> = {
  // Region names: Salvia has every region, and AWS opens new ones.
  s3: ["BucketLocationConstraint"],
};

/** The code of constraint errors, where it is neither a modelled ValidationException nor the protocol's usual one. */
export const validationCodes: Readonly<Record<string, string>> = {
  // As answered by AWS: "An error occurred (InvalidParameterException) … 1 validation error detected: …".
  logs: "InvalidParameterException",
  ecr: "InvalidParameterException",
};
