#!/bin/sh
# What people have in their projects to bring a container to SageMaker: nothing in here knows of Salvia.
# usage: build_and_push.sh IMAGE FOLDER
set -eu

image=$1
folder=$2
account=$(aws sts get-caller-identity --query Account --output text)
region=${AWS_DEFAULT_REGION:-us-west-2}
registry="${account}.dkr.ecr.${region}.amazonaws.com"
name="${registry}/${image}:latest"

if ! aws ecr describe-repositories --region "${region}" --repository-names "${image}" > /dev/null 2>&1; then
  aws ecr create-repository --region "${region}" --repository-name "${image}" > /dev/null
fi

aws ecr get-login-password --region "${region}" | docker login --username AWS --password-stdin "${registry}"

docker build --tag "${image}" "${folder}"
docker tag "${image}" "${name}"
docker push "${name}"
echo "pushed ${name}"
