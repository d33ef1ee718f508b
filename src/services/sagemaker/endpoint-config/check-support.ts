// What an endpoint configuration may ask for on AWS and not here yet.
import type { CreateEndpointConfigInput, ProductionVariant } from "../../../models/generated/sagemaker.ts";
import { refuseUnsupported, type SupportCheck } from "../not-implemented.ts";

const isGiven = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

const configChecks: readonly SupportCheck<CreateEndpointConfigInput>[] = [
  ["AsyncInferenceConfig", (config) => config.AsyncInferenceConfig],
  ["DataCaptureConfig.EnableCapture", (config) => config.DataCaptureConfig?.EnableCapture],
  ["ShadowProductionVariants", (config) => isGiven(config.ShadowProductionVariants)],
  ["ExplainerConfig", (config) => config.ExplainerConfig],
  ["MetricsConfig.EnableEnhancedMetrics", (config) => config.MetricsConfig?.EnableEnhancedMetrics],
  ["CrossRegionTrafficConfig", (config) => config.CrossRegionTrafficConfig],
  // These belong to inference components.
  ["ExecutionRoleArn", (config) => config.ExecutionRoleArn],
  ["EnableNetworkIsolation", (config) => config.EnableNetworkIsolation],
];

const variantChecks: readonly SupportCheck<ProductionVariant>[] = [
  ["ServerlessConfig", (variant) => variant.ServerlessConfig],
  ["ManagedInstanceScaling", (variant) => variant.ManagedInstanceScaling?.Status === "ENABLED"],
  ["AcceleratorType", (variant) => variant.AcceleratorType],
  ["AcceleratorPartitionLayouts", (variant) => isGiven(variant.AcceleratorPartitionLayouts)],
  ["InstancePools", (variant) => isGiven(variant.InstancePools)],
  ["CoreDumpConfig", (variant) => variant.CoreDumpConfig],
  ["EnableSSMAccess", (variant) => variant.EnableSSMAccess],
  ["CapacityReservationConfig", (variant) => variant.CapacityReservationConfig],
  ["RoutingConfig.PrefixAwareRoutingConfig", (variant) => variant.RoutingConfig?.PrefixAwareRoutingConfig],
  ["a variant without ModelName (inference components)", (variant) => variant.ModelName === undefined],
];

/** Throws for the first thing asked for that Salvia cannot do. */
export function checkSupport(config: CreateEndpointConfigInput): void {
  refuseUnsupported(config, configChecks);
  for (const variant of config.ProductionVariants)
    refuseUnsupported(variant, variantChecks, `ProductionVariants "${variant.VariantName}": `);
}
