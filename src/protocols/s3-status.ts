// HTTP status by S3 error code. The model knows few of them.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList

const byStatus: Readonly<Record<number, readonly string[]>> = {
  301: ["PermanentRedirect"],
  304: ["NotModified"],
  307: ["Redirect", "TemporaryRedirect"],
  403: [
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "CrossLocationLoggingProhibited",
    "InvalidAccessKeyId",
    "InvalidObjectState",
    "InvalidPayer",
    "InvalidSecurity",
    "NotSignedUp",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnauthorizedAccess",
  ],
  404: [
    "NoSuchAccessPoint",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchConfiguration",
    "NoSuchKey",
    "NoSuchLifecycleConfiguration",
    "NoSuchObjectLockConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchTagSetError",
    "NoSuchUpload",
    "NoSuchVersion",
    "NoSuchWebsiteConfiguration",
    "NotFound",
    "ObjectLockConfigurationNotFoundError",
    "OwnershipControlsNotFoundError",
    "ReplicationConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
  ],
  405: ["MethodNotAllowed"],
  409: [
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "ConditionalRequestConflict",
    "InvalidBucketState",
    "ObjectAlreadyInActiveTierError",
    "OperationAborted",
    "RestoreAlreadyInProgress",
  ],
  411: ["MissingContentLength"],
  412: ["PreconditionFailed"],
  416: ["InvalidRange"],
  500: ["InternalError", "InternalFailure"],
  501: ["NotImplemented", "NotImplementedException"],
  503: ["ServiceUnavailable", "SlowDown"],
};

const statusByCode: ReadonlyMap<string, number> = new Map(
  Object.entries(byStatus).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)),
);

/** Undefined for codes that answer 400. */
export const s3Status = (code: string): number | undefined => statusByCode.get(code);
