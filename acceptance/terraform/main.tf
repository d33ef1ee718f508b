# What a team would write for AWS, and nothing more: the one line for Salvia is s3_use_path_style, since bucket names are no hosts here.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

provider "aws" {
  s3_use_path_style = true
  default_tags {
    tags = { project = "digits" }
  }
}

variable "stage" {
  type        = string
  description = "Goes into tags, and so into every resource."
}

variable "training_data" {
  type        = string
  description = "A local file: what k-means trains on."
}

variable "model_data" {
  type        = string
  default     = ""
  description = "S3 URI of model.tar.gz. The endpoint comes once there is one."
}

variable "instances" {
  type    = number
  default = 1
}

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

resource "aws_iam_role" "sagemaker" {
  name        = "digits-execution"
  path        = "/digits/"
  description = "Runs the jobs and endpoints of digits (${var.stage})"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
  max_session_duration = 7200
  tags                 = { stage = var.stage }
}

resource "aws_iam_policy" "data" {
  name = "digits-data"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = var.stage == "first" ? ["s3:GetObject", "s3:PutObject", "s3:ListBucket"] : ["s3:*"]
      Resource = [aws_s3_bucket.digits.arn, "${aws_s3_bucket.digits.arn}/*"]
    }]
  })
  tags = { stage = var.stage }
}

resource "aws_iam_role_policy_attachment" "data" {
  role       = aws_iam_role.sagemaker.name
  policy_arn = aws_iam_policy.data.arn
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.sagemaker.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:*", "cloudwatch:PutMetricData"]
      Resource = "*"
    }]
  })
}

resource "aws_s3_bucket" "digits" {
  bucket        = "terraform-digits-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.name}"
  force_destroy = true
  tags          = { stage = var.stage }
}

resource "aws_s3_bucket_versioning" "digits" {
  bucket = aws_s3_bucket.digits.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_object" "training" {
  bucket = aws_s3_bucket.digits.id
  key    = "data/train"
  source = var.training_data
  etag   = filemd5(var.training_data)
  tags   = { stage = var.stage }
}

resource "aws_s3_object" "note" {
  bucket       = aws_s3_bucket.digits.id
  key          = "notes/who made this?.txt"
  content      = "Terraform did, in stage ${var.stage}.\n"
  content_type = "text/plain; charset=utf-8"
  metadata     = { stage = var.stage }
}

resource "aws_sagemaker_model" "digits" {
  count              = var.model_data == "" ? 0 : 1
  name               = "terraform-digits"
  execution_role_arn = aws_iam_role.sagemaker.arn
  primary_container {
    image          = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"
    model_data_url = var.model_data
  }
  tags = { stage = var.stage }
}

resource "aws_sagemaker_endpoint_configuration" "digits" {
  count       = var.model_data == "" ? 0 : 1
  name_prefix = "terraform-digits-"
  production_variants {
    variant_name           = "all"
    model_name             = aws_sagemaker_model.digits[0].name
    initial_instance_count = var.instances
    instance_type          = "ml.m5.large"
    initial_variant_weight = 1
  }
  tags = { stage = "any" }
  lifecycle { create_before_destroy = true }
}

resource "aws_sagemaker_endpoint" "digits" {
  count                = var.model_data == "" ? 0 : 1
  name                 = "terraform-digits"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.digits[0].name
  tags                 = { stage = var.stage }
}

output "bucket" { value = aws_s3_bucket.digits.id }
output "role" { value = aws_iam_role.sagemaker.arn }
output "endpoint" { value = one(aws_sagemaker_endpoint.digits[*].name) }
