"""pyarrow's S3 file system and datasets against Salvia, unpatched (AWS SDK for C++ underneath: chunked bodies, CRC64NVME)."""
import os

import pyarrow
import pyarrow.dataset
import pyarrow.parquet
from pyarrow import fs

from harness import run

bucket = "acceptance-pyarrow"
address = os.environ["AWS_ENDPOINT_URL"]
files = fs.S3FileSystem(
    endpoint_override=address.removeprefix("http://"), scheme="http", region="us-west-2", allow_bucket_creation=True,
    allow_bucket_deletion=True,
)


def a_bucket_is_made():
    files.create_dir(bucket)
    assert files.get_file_info(bucket).type == fs.FileType.Directory


def a_stream_is_written_and_read():
    with files.open_output_stream(f"{bucket}/stream.bin") as stream:
        stream.write(b"abc" * 1000)
    with files.open_input_stream(f"{bucket}/stream.bin") as stream:
        assert stream.read() == b"abc" * 1000
    assert files.get_file_info(f"{bucket}/stream.bin").size == 3000


def a_large_stream_goes_in_parts_and_is_read_anywhere():
    block = bytes(range(256)) * 4096
    with files.open_output_stream(f"{bucket}/large.bin") as stream:
        for _ in range(25):
            stream.write(block)
    with files.open_input_file(f"{bucket}/large.bin") as file:
        assert file.size() == 25 * len(block)
        file.seek(24 * len(block) + 3)
        assert file.read(4) == bytes([3, 4, 5, 6])


def a_partitioned_dataset_is_written_and_filtered():
    table = pyarrow.table({"kind": ["a", "b"] * 500, "x": list(range(1000))})
    pyarrow.dataset.write_dataset(
        table, f"{bucket}/data", filesystem=files, format="parquet", partitioning=["kind"]
    )
    back = pyarrow.dataset.dataset(f"{bucket}/data", filesystem=files, format="parquet", partitioning=["kind"])
    some = back.to_table(filter=(pyarrow.dataset.field("kind") == "b") & (pyarrow.dataset.field("x") < 100))
    assert sorted(some["x"].to_pylist()) == list(range(1, 100, 2))


def folders_are_listed_copied_and_removed():
    names = {info.base_name for info in files.get_file_info(fs.FileSelector(f"{bucket}/data"))}
    assert names == {"a", "b"}, names
    files.copy_file(f"{bucket}/stream.bin", f"{bucket}/copy.bin")
    assert files.get_file_info(f"{bucket}/copy.bin").size == 3000
    files.delete_dir(f"{bucket}/data")
    assert files.get_file_info(f"{bucket}/data").type == fs.FileType.NotFound


def the_bucket_is_removed():
    files.delete_dir_contents(bucket)
    files.delete_dir(bucket)
    assert files.get_file_info(bucket).type == fs.FileType.NotFound


run(
    [
        a_bucket_is_made,
        a_stream_is_written_and_read,
        a_large_stream_goes_in_parts_and_is_read_anywhere,
        a_partitioned_dataset_is_written_and_filtered,
        folders_are_listed_copied_and_removed,
        the_bucket_is_removed,
    ]
)
