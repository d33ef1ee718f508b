// Services whose operations change what decisions are made of: afterwards the authoriser looks anew.
import type { Service } from "../../service.ts";
import type { Authoriser } from "./authoriser.ts";

const changes: Readonly<Record<string, RegExp>> = {
  iam: /^(?!Get|List|Simulate)/,
  s3: /^(?:Put|Delete)(?:BucketPolicy|PublicAccessBlock|BucketAcl|BucketOwnershipControls)$|^(?:Create|Delete)Bucket$/,
};

export function forgetting(service: Service, authoriser: Pick<Authoriser, "forget">): Service {
  const isChange = changes[service.name];
  if (!isChange) return service;
  return {
    ...service,
    handle: async (operation, input, ctx) => {
      try {
        return await service.handle(operation, input, ctx);
      } finally {
        if (isChange.test(operation)) authoriser.forget();
      }
    },
  };
}
