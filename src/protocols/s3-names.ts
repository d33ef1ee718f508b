// Root elements of S3's answers. botocore's models leave them out, since no client there looks at them; others do.
// Source: the xmlName traits of S3's Smithy model, and https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

/** Root element by operation; where an operation is not listed, its payload member's name is right. */
export const s3Roots: ReadonlyMap<string, string> = new Map([
  ["CompleteMultipartUpload", "CompleteMultipartUploadResult"],
  ["CreateMultipartUpload", "InitiateMultipartUploadResult"],
  ["CreateSession", "CreateSessionResult"],
  ["DeleteObjects", "DeleteResult"],
  ["GetBucketAccelerateConfiguration", "AccelerateConfiguration"],
  ["GetBucketAcl", "AccessControlPolicy"],
  ["GetBucketCors", "CORSConfiguration"],
  ["GetBucketLifecycle", "LifecycleConfiguration"],
  ["GetBucketLifecycleConfiguration", "LifecycleConfiguration"],
  ["GetBucketLocation", "LocationConstraint"],
  ["GetBucketLogging", "BucketLoggingStatus"],
  ["GetBucketNotification", "NotificationConfiguration"],
  ["GetBucketNotificationConfiguration", "NotificationConfiguration"],
  ["GetBucketRequestPayment", "RequestPaymentConfiguration"],
  ["GetBucketTagging", "Tagging"],
  ["GetBucketVersioning", "VersioningConfiguration"],
  ["GetBucketWebsite", "WebsiteConfiguration"],
  ["GetObjectAcl", "AccessControlPolicy"],
  ["GetObjectAttributes", "GetObjectAttributesResponse"],
  ["GetObjectTagging", "Tagging"],
  ["ListBucketAnalyticsConfigurations", "ListBucketAnalyticsConfigurationResult"],
  ["ListBucketInventoryConfigurations", "ListInventoryConfigurationsResult"],
  ["ListBucketMetricsConfigurations", "ListMetricsConfigurationsResult"],
  ["ListBuckets", "ListAllMyBucketsResult"],
  ["ListDirectoryBuckets", "ListAllMyDirectoryBucketsResult"],
  ["ListMultipartUploads", "ListMultipartUploadsResult"],
  ["ListObjectVersions", "ListVersionsResult"],
  ["ListObjects", "ListBucketResult"],
  ["ListObjectsV2", "ListBucketResult"],
  ["ListParts", "ListPartsResult"],
]);

/** Operations that share method and URI with a newer one; a request means the newer. */
export const s3Superseded: ReadonlySet<string> = new Set([
  "GetBucketLifecycle",
  "PutBucketLifecycle",
  "GetBucketNotification",
  "PutBucketNotification",
  // Answered by the endpoint of directory buckets alone.
  "ListDirectoryBuckets",
]);

export const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
