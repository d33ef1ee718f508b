"""Training jobs that run a script of the bucket as their entrypoint, which lies in their channel `code`."""
image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def script_request(name, role, bucket, script, channels, arguments=(), **resources):
    """`script`: its key. `resources`: members of ResourceConfig that are not one ml.m5.large with 10 GB."""
    folder, _, file = script.rpartition("/")
    code = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{folder}/"}
    return dict(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", f"/opt/ml/input/data/code/{file}"],
            **({"ContainerArguments": list(arguments)} if arguments else {}),
        },
        RoleArn=role,
        InputDataConfig=[*channels, {"ChannelName": "code", "DataSource": {"S3DataSource": code}}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10, **resources},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
